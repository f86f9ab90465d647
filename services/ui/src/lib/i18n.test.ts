import { expect, test } from "vitest";
import { spoken } from "./i18n";

test.each([
  [["", "fr-CA", "en"], "fr"],
  [["de", "en-GB"], "de"],
  [["pt-BR", "it"], "en"],
  [["", "nl", "de-AT"], "de"],
])("of %j the first that we speak is spoken", (wanted, language) => {
  expect(spoken(wanted)).toBe(language);
});
