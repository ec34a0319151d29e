import { UsageError } from "./options.ts";
import { quote } from "./silence.ts";

/** What a person types to call a method of another program. */
export interface Call {
  /** Its name. */
  method: string;
  /** An array or an object, undefined if there are none. */
  params: unknown;
  /** Whether it is a notification, which has no answer. */
  isNotification: boolean;
}

/**
 * Reads `METHOD [PARAMS]`, with `!` before it for a notification.
 *
 * @throws {UsageError} If it is something else, or PARAMS are not an array or an object in JSON.
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
export function parseCall(line: string): Call {
  const [, mark, method, json = ""] = /^\s*(!?)\s*([^\s!]\S*)\s*(.*)$/.exec(line) ?? [];
  const params = json === "" ? undefined : parse(json);
  if (method === undefined || params === null) {
    throw new UsageError(
      `expected [!]METHOD [PARAMS], PARAMS an array or an object in JSON; got ${quote(line)}`,
    );
  }
  return { method, params, isNotification: mark === "!" };
}

function parse(json: string): unknown {
  try {
    const params = JSON.parse(json);
    return typeof params === "object" ? params : null;
  } catch {
    return null;
  }
}
