/**
 * Calls of methods that a person types, each in a line: `METHOD [PARAMS]`.
 *
 * @module
 */
import type { JsonRpcPeer } from "../json_rpc.ts";
import { within } from "../within.ts";
import { Failure } from "./failure.ts";
import { quote } from "./format.ts";
import { answerLine, answerOf, answerRow } from "./message.ts";
import { ReportingPeer, type ReportingPeerOptions } from "./reporting_peer.ts";
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
 * is no call is told and left out, and the script then exits with 2. At the end closes the child's
 * stdin, and waits for its exit.
 */
export async function askWhatIsTyped(
  child: Deno.ChildProcess,
  options: ReportingPeerOptions,
): Promise<void> {
  const peer = new ReportingPeer(child, options);
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
  await peer.close();
}

async function ask(peer: ReportingPeer, { method, params }: Call): Promise<void> {
  const answer = await peer.ask(method, params);
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

/** Asks all at once, and prints each answer as it comes. Returns the order in which they came. */
export async function askTimed(
  peer: JsonRpcPeer,
  methods: string[],
  params?: object,
): Promise<number[]> {
  const order: number[] = [];
  await Promise.all(methods.map(async (method, index) => {
    const start = performance.now();
    const asked = peer.request(method, params).catch(answerOf);
    await print(`${index + 1} → ${method}`);
    const answer = await asked;
    order.push(index + 1);
    await print(answerRow(index + 1, method, performance.now() - start, answer));
  }));
  return order;
}

/**
 * Waits for an event as long as the server answers other questions, each within so many seconds: on
 * a busy machine it may take long.
 *
 * @throws {Failure} If it answers 1000 of them first.
 */
export async function whileItAnswers<T>(
  peer: JsonRpcPeer,
  timeout: number,
  event: Promise<T>,
): Promise<T> {
  for (let looks = 0; looks < 1000; looks++) {
    const result = await within(Math.min(1, timeout), event);
    if (result !== undefined) return result;
    const answer = peer.request("no/such/method").catch(answerOf);
    if (await within(timeout, answer) === undefined) break;
  }
  throw new Failure(`nothing came within ${timeout} s (--timeout)`, 124);
}
