/**
 * Calls of methods that a person types, each in a line: `METHOD [PARAMS]`.
 *
 * @module
 */
import { quote } from "./format.ts";
import { answerLine } from "./message.ts";
import type { ReportingPeer } from "./reporting_peer.ts";
import { print } from "./stdout.ts";

/** A call of a method, as a person types it. */
interface Call {
  /** The method's name. */
  method: string;
  /** An array or an object; undefined if there are none. */
  params: unknown;
  /** Whether it is a notification, which has no answer. */
  isNotification: boolean;
}

/**
 * Asks what comes on stdin, a call in each line, without waiting for an answer before the next
 * question. An empty line waits for all answers so far. Prints each answer as it comes. A line that
 * is no call is told and left out, and the script then exits with 2.
 */
export async function askWhatIsTyped(peer: ReportingPeer): Promise<void> {
  const open = new Set<Promise<void>>();
  for await (const line of peer.stdinLines()) {
    const call = parseCall(line);
    if (line.trim() === "") await Promise.all(open);
    else if (call === undefined) {
      console.error(`rpc: expected [!]METHOD [PARAMS], PARAMS in JSON; got ${quote(line)}`);
      Deno.exitCode = 2;
    } else if (call.isNotification) await peer.notify(call.method, call.params);
    else {
      const asking = ask(peer, call).then(() => void open.delete(asking));
      asking.catch(() => {}); // If it fails, whoever awaits it below says so.
      open.add(asking);
      // The time limit of a question runs while it waits for those before it.
      const [oldest] = open;
      if (open.size > 1000) await oldest;
    }
  }
  await Promise.all(open);
}

async function ask(peer: ReportingPeer, { method, params }: Call): Promise<void> {
  const answer = await peer.answer(method, params);
  await print(answerLine(method, answer));
}

/**
 * Reads `METHOD [PARAMS]`, with `!` before it for a notification; undefined if it is something
 * else, or PARAMS are no array or object in JSON.
 */
function parseCall(line: string): Call | undefined {
  const [, mark, method, json] = /^\s*(!?)\s*([^\s!]\S*)\s*(.*)$/s.exec(line) ?? [];
  if (method === undefined) return undefined;
  try {
    const params = json ? JSON.parse(json) : undefined;
    if (typeof params === "object" ? params === null : params !== undefined) return undefined;
    return { method, params, isNotification: mark === "!" };
  } catch {
    return undefined;
  }
}
