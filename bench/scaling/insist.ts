/** Work for the exit of this process, which can no longer wait for events: processes that were killed end a little later. */

const TRIES = 60
const PAUSE_MS = 50

/** Repeats what fails while something has not ended yet, and gives up in the end. */
export function insist(work: () => void): void {
  const clock = new Int32Array(new SharedArrayBuffer(4))
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      work()
      return
    } catch {
      Atomics.wait(clock, 0, 0, PAUSE_MS)
    }
  }
}
