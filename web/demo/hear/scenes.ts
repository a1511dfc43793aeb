// Page thread: the built-in scenes, and who made what is heard in them.

import scenes from "../clips/scenes.json" with { type: "json" };

export interface Credit {
  readonly title: string;
  readonly address: string;
  readonly licence: string;
}

export interface Scene {
  readonly name: string;
  readonly title: string;
  readonly voice: Credit & { readonly part: string };
  readonly noise: Credit & { readonly heardInTraining: boolean };
  readonly snrDb: number;
}

export const SCENES: readonly Scene[] = scenes;

export function sceneAddress(name: string): string {
  return `clips/${name}.ogg`;
}

/** The bytes of a scene. rejects Error when they do not arrive */
export async function fetchScene(name: string): Promise<ArrayBuffer> {
  const url = sceneAddress(name);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: the server answered ${response.status}`);
  return response.arrayBuffer();
}
