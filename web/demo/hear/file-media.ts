// Page thread: the video element that plays the user's file; a player takes it over for good, so the next one gets another.

import { element, made } from "../page/dom.js";

/** What the page does when the user plays the element by its own controls, or the browser cannot. */
export interface MediaHost {
  begun(): void;
  failed(): void;
}

export class FileMedia {
  readonly #home = element("#media-home");
  #video = this.#fresh();

  constructor(host: MediaHost) {
    const on = (type: string, act: () => void): void => this.#home.addEventListener(type, act, { capture: true });
    on("loadedmetadata", () => this.#video.classList.toggle("sound", this.#video.videoWidth === 0));
    on("play", () => host.begun());
    on("error", () => host.failed());
  }

  /** Let go of the file and of the element. */
  renew(): void {
    URL.revokeObjectURL(this.#video.src);
    this.#video = this.#fresh();
  }

  /** The element with a file in it. */
  load(file: File): HTMLVideoElement {
    URL.revokeObjectURL(this.#video.src);
    this.#video.src = URL.createObjectURL(file);
    return this.#video;
  }

  /** Whether the browser lets the file begin; some do so only right after a click. rejects DOMException */
  async playsByItself(): Promise<boolean> {
    try {
      await this.#video.play();
      return true;
    } catch (error) {
      if (error instanceof DOMException && error.name === "NotAllowedError") return false;
      throw error;
    }
  }

  #fresh(): HTMLVideoElement {
    const fresh = made("video", "", { controls: "", id: "media", "aria-label": "Your file", hidden: "" });
    this.#home.replaceChildren(fresh);
    return fresh;
  }
}
