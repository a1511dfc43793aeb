// Worker: the painter, off the page's thread.

import type { PainterRequest } from "./messages.js";
import { Painter } from "./painter.js";

const painter = new Painter((answer) => postMessage(answer));
addEventListener("message", (event: MessageEvent<PainterRequest>) => painter.obey(event.data));
