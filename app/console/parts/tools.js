// The tools that the signed-in person may use, asked for once.

import { get } from "../api.js";
import { session } from "../session.js";

let known = { of: null, tools: null };

/** The tool of that name, or undefined when this person may not use it. Throws ApiError. */
export async function toolNamed(name) {
  const { key_id: of } = session.me;
  if (known.of !== of) known = { of, tools: null };
  known.tools ??= (await get("/api/tools")).data;
  return known.tools.find((tool) => tool.name === name);
}
