/** What a person types to call a method of another program. */
export interface Call {
  /** Its name. */
  method: string;
  /** An array or an object; undefined if there are none. */
  params: unknown;
  /** Whether it is a notification, which has no answer. */
  isNotification: boolean;
}

/**
 * Reads `METHOD [PARAMS]`, with `!` before it for a notification; undefined if it is something
 * else, or PARAMS are no array or object in JSON.
 *
 * @example
 * ```ts
 * import { parseCall } from "./call.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const call = { method: "tools/call", params: { name: "echo" }, isNotification: false };
 * assertEquals(parseCall('tools/call {"name": "echo"}'), call);
 * ```
 */
export function parseCall(line: string): Call | undefined {
  const [, mark, method, json] = /^\s*(!?)\s*([^\s!]\S*)\s*(.*)$/.exec(line) ?? [];
  if (method === undefined) return undefined;
  try {
    const params = json ? JSON.parse(json) : undefined;
    if (typeof params === "object" ? params === null : params !== undefined) return undefined;
    return { method, params, isNotification: mark === "!" };
  } catch {
    return undefined;
  }
}
