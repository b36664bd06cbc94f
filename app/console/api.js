// The public API, called with the reader's key. Every refusal becomes an ApiError.

import { storedKey } from "./session.js";

export const UNREACHABLE = "The server cannot be reached just now.";

/** What the API said instead of an answer. `status` is 0 when there was no answer at all. */
export class ApiError extends Error {
  constructor(message, { status = 0, code = "unreachable", param = null, requestId = null } = {}) {
    super(message);
    Object.assign(this, { status, code, param, requestId });
  }

  /** Whether the same request may succeed a little later. */
  get passing() {
    return [0, 408, 429, 502, 503, 504].includes(this.status);
  }
}

/** A name that nobody used before, also where the page is not served over TLS. */
export function fresh() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Path and query; members that are null, undefined or empty are left out, lists are repeated. */
export function query(path, parameters = {}) {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => [value].flat().map((each) => [name, each]));
  const told = new URLSearchParams(pairs.filter(([, value]) => value !== null && value !== undefined && value !== ""));
  const text = told.toString();
  return text ? `${path}?${text}` : path;
}

/** Send a request and return the response; throws ApiError unless it is a success. */
export async function send(method, path, { body, headers = {}, signal, key = storedKey() } = {}) {
  const all = { accept: "application/json", ...headers };
  if (key) all.authorization = `Bearer ${key}`;
  if (body !== undefined) all["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: all,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
  } catch (problem) {
    if (signal?.aborted) throw problem;
    throw new ApiError(UNREACHABLE);
  }
  if (response.ok) return response;
  const error = await refusal(response);
  if (error.status === 401) dispatchEvent(new CustomEvent("wayside:unauthenticated", { detail: error }));
  throw error;
}

export async function get(path, options) {
  return (await send("GET", path, options)).json();
}

/** A POST that changes nothing. */
export async function ask(path, body, options) {
  return (await send("POST", path, { ...options, body })).json();
}

/** A POST that changes something: it carries an Idempotency-Key, and is sent once more when no answer came. */
export async function act(path, body, options = {}) {
  const headers = { ...options.headers, "idempotency-key": options.once ?? fresh() };
  const attempt = async () => {
    const response = await send("POST", path, { ...options, headers, body });
    return response.status === 204 ? null : response.json();
  };
  try {
    return await attempt();
  } catch (problem) {
    if (!(problem instanceof ApiError) || problem.status !== 0) throw problem;
    return attempt();
  }
}

/**
 * Requests that people repeat by hand: the same one carries the same key until the API has said yes or no, so that what
 * was done although no answer came is not done twice.
 */
export class Attempts {
  #keys = new Map();

  async act(path, body) {
    const named = JSON.stringify([path, body]);
    const once = this.#keys.get(named) ?? fresh();
    this.#keys.set(named, once);
    let undecided = false;
    try {
      return await act(path, body, { once });
    } catch (problem) {
      undecided = problem.passing || problem.code === "idempotency_in_flight";
      throw problem;
    } finally {
      if (!undecided) this.#keys.delete(named);
    }
  }
}

export async function remove(path, options) {
  await send("DELETE", path, options);
}

/** The refusal that a response is; also of one that does not keep to the error contract, such as a proxy's. */
export async function refusal(response) {
  const said = await response.json().catch(() => ({}));
  const detail = said?.error ?? {};
  return new ApiError(String(detail.message ?? `The server answered ${response.status}.`), {
    status: response.status,
    code: detail.code ?? "error",
    param: detail.param ?? null,
    requestId: response.headers.get("x-request-id"),
  });
}
