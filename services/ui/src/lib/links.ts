import { useQuery } from "@tanstack/react-query";
import { listConnectorsOptions } from "@/api/@tanstack/react-query.gen";

/** Into the two systems themselves; null where we do not know their address. */
export function useLinks() {
  const { data } = useQuery(listConnectorsOptions());
  const base = (id: string) => {
    const [, connection] = id.split(":");
    const found = data?.items.find(({ name }) => name === connection);
    return found && found.kind !== "source" ? found.base_url : null; // a file has no page
  };
  const number = (id: string) => id.split(":")[2];
  return {
    ticket: (book: string) => {
      const at = base(book);
      return at && `${at}/#ticket/zoom/${number(book)}`;
    },
    timesheet: (sheet: string) => {
      const at = base(sheet);
      return at && `${at}/en/team/timesheet/${number(sheet)}/edit`;
    },
  };
}
