// Page thread: the language that the browser names, where it names none that Intl knows.

/** What is spoken where nothing else is said. */
const FALLBACK = "en-US";

/**
 * WebKitGTK without a locale calls the user's language "C", which Intl refuses with an exception. Scripts that ask Intl
 * for that language while they are loaded, as uPlot does, have to come after this.
 */
export function mendLanguage(): void {
  try {
    Intl.getCanonicalLocales(navigator.language);
  } catch {
    Object.defineProperty(navigator, "language", { value: FALLBACK });
  }
}
