// Says so where the application did not come whole: a script that failed to load leaves an empty page.
(() => {
  const words = {
    en: [
      "Hourbook could not be loaded",
      "The network changed or went away. Nothing is lost.",
      "Load again",
    ],
    de: [
      "Hourbook konnte nicht geladen werden",
      "Das Netz fehlt gerade. Verloren ist nichts.",
      "Noch einmal laden",
    ],
    fr: [
      "Hourbook n’a pas pu être chargé",
      "Le réseau a changé ou a disparu. Rien n’est perdu.",
      "Recharger",
    ],
  };
  addEventListener(
    "error",
    ({ target }) => {
      const place = document.getElementById("root");
      if (!(target instanceof HTMLScriptElement) || !place || place.hasChildNodes()) return;
      const [title, sentence, again] = words[navigator.language.slice(0, 2)] ?? words.en;
      const said = document.createElement("main");
      said.setAttribute("role", "alert");
      const head = said.appendChild(document.createElement("h1"));
      head.textContent = title;
      said.appendChild(document.createElement("p")).textContent = sentence;
      const button = said.appendChild(document.createElement("button"));
      button.textContent = again;
      button.addEventListener("click", () => location.reload());
      place.append(said);
    },
    true,
  );
})();
