import * as z from "zod/mini";

/** Part of a page's address; what makes no sense there is as if it were not. */
export const either = <Schema extends z.ZodMiniType>(schema: Schema) =>
  z.catch(z.optional(schema), undefined);

/** Words in an address; a number typed by hand is one as well (`?text=67009`), which the router reads as such. */
export const words = () => either(z.pipe(z.union([z.string(), z.number()]), z.transform(String)));
