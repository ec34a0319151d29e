import { assertEquals } from "@std/assert";
import { syscallOf } from "../../../lib/why/syscalls.ts";
import "../../process.ts";

Deno.test("a call has other numbers on arm64 than on x86-64", () => {
  const calls = [["0", "63", "read"], ["1", "64", "write"], ["61", "260", "wait4"]] as const;
  for (const [x86, arm, name] of calls) {
    assertEquals(syscallOf(`${x86} 0x3 0x0`, "", "x86_64"), { name, args: [3n, 0n] });
    assertEquals(syscallOf(`${arm} 0x3 0x0`, "", "aarch64"), { name, args: [3n, 0n] });
  }
  // poll(2) is not on arm64: its number there is another call's.
  assertEquals(syscallOf("7 0x0", "", "aarch64").name, "system call 7");
});

Deno.test("a call that may not be seen is told from the place where its thread waits", () => {
  const places = {
    anon_pipe_read: { name: "read", isSocket: false },
    pipe_write: { name: "write", isSocket: false },
    unix_stream_read_generic: { name: "read", isSocket: true },
    do_epoll_wait: { name: "epoll", isSocket: false },
    hrtimer_nanosleep: { name: "sleep", isSocket: false },
    wait_for_partner: { name: "open", isSocket: false },
    somewhere: { name: "somewhere", isSocket: false },
  };
  for (const [place, call] of Object.entries(places)) assertEquals(syscallOf("", place), call);
});

Deno.test("what a thread went on to wait for after a stop is told from the place alone", () => {
  const place = "hrtimer_nanosleep";
  assertEquals(syscallOf("219 0x0", place, "x86_64"), { name: "sleep", isSocket: false });
  assertEquals(syscallOf("128 0x0", place, "aarch64"), { name: "sleep", isSocket: false });
  assertEquals(syscallOf("219 0x0", "do_syscall_64", "x86_64").name, "restarted");
  assertEquals(syscallOf("219 0x0", "poll_schedule_timeout.constprop.0", "x86_64").name, "poll");
});

Deno.test("a thread on a processor is in no call", () => {
  assertEquals(syscallOf("running\n", "0").name, "running");
  assertEquals(syscallOf("-1 0x7ffe 0x7f00\n", "0").name, "running");
});

Deno.test("a thread that gets memory waits for nobody", () => {
  for (const number of [9, 10, 11, 12, 25, 28]) {
    assertEquals(syscallOf(`${number} 0x0`, "", "x86_64").name, "running");
  }
  for (const number of [222, 226, 215, 214, 216, 233]) {
    assertEquals(syscallOf(`${number} 0x0`, "", "aarch64").name, "running");
  }
});
