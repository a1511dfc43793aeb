// File worker: headers of files with plain samples; the twin of py/sordino/files/pcm_header.py.

import { aiff, au, caf } from "./aiff_header.js";
import { Bytes, type Header, letters } from "./pcm_format.js";
import { riff, W64_RIFF, wave64 } from "./riff_header.js";

/** The header of a file with plain samples; undefined: another decoder is to try. rejects FileError "damaged" */
export async function readHeader(file: Blob): Promise<Header | undefined> {
  const bytes = new Bytes(file);
  if (bytes.size < 16) return undefined;
  const head = await bytes.view(0, 16);
  const [name, kind] = [letters(head, 0, 4), letters(head, 8, 4)];
  if (["RIFF", "RIFX", "RF64", "BW64"].includes(name) && kind === "WAVE") return riff(bytes, name !== "RIFX");
  if (letters(head) === W64_RIFF) return wave64(bytes);
  if (name === "FORM" && (kind === "AIFF" || kind === "AIFC")) return aiff(bytes, kind === "AIFC");
  if (name === ".snd" || name === "dns.") return au(bytes, head, name === "dns.");
  if (name === "caff") return caf(bytes);
  return undefined;
}
