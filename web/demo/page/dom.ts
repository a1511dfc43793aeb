// Page thread: how the page finds its elements and remembers what it tells tests and the curious in <body>'s data.

/** The one element that a selector means. */
export function element<T extends HTMLElement = HTMLElement>(selector: string): T {
  return document.querySelector<T>(selector)!;
}

export function elements<T extends HTMLElement = HTMLElement>(selector: string): T[] {
  return [...document.querySelectorAll<T>(selector)];
}

export const body = document.body.dataset;

/** Words as a new element. */
export function made<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  text = "",
  attributes: Readonly<Record<string, string>> = {},
): HTMLElementTagNameMap[K] {
  const created = document.createElement(tag);
  created.textContent = text;
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  return created;
}

/** A row of radio buttons drawn as one control: calls `choose` with the value of the one that is chosen. */
export function segments(
  group: HTMLElement,
  options: readonly (readonly [value: string, label: string])[],
  chosen: string,
  choose: (value: string) => void,
): void {
  const name = `${group.id}-choice`;
  for (const [value, text] of options) {
    const label = made("label", "", { class: "segment" });
    const input = made("input", "", { type: "radio", name, value });
    input.checked = value === chosen;
    input.addEventListener("change", () => choose(value));
    label.append(input, made("span", text));
    group.append(label);
  }
}

/** Mark a segment without calling anybody; a value that none has leaves none marked. */
export function markSegment(group: HTMLElement, value: string | undefined): void {
  for (const input of group.querySelectorAll<HTMLInputElement>("input")) input.checked = input.value === value;
}

/** Real minus signs. */
export function minus(text: string): string {
  return text.replace(/-(?=\d)/g, "−");
}

/** A sample rate in words. */
export function inKilohertz(hz: number): string {
  return `${hz / 1000} kHz`;
}

/** Hand a file to the user. */
export function download(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob);
  const link = made("a", "", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), KEEP_ADDRESS_MS);
}

/** A browser needs an address a moment longer than the click. */
const KEEP_ADDRESS_MS = 60_000;
