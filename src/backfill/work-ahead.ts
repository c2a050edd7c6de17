/** Works on several values of a source at once, so that the process, the database and Clerk do not wait for each other. */

/**
 * Yields the values in their order, each when its work is done. An error comes in its place in the order too; what was
 * under way behind it is finished first.
 *
 * @param most how many are worked on at once
 */
export async function* workAhead<Value>(
  source: AsyncGenerator<Value>,
  most: number,
  work: (value: Value) => Promise<void>,
): AsyncGenerator<Value> {
  const underWay: Promise<IteratorResult<Value>>[] = []
  try {
    for (;;) {
      while (underWay.length < most) underWay.push(start(source, work))
      const { value, done } = (await underWay.shift()) as IteratorResult<Value>
      if (done) return
      yield value
    }
  } finally {
    await Promise.allSettled(underWay)
    await source.return(undefined)
  }
}

function start<Value>(
  source: AsyncGenerator<Value>,
  work: (value: Value) => Promise<void>,
): Promise<IteratorResult<Value>> {
  // A generator hands out its values in the order in which they were asked for.
  const done = source.next().then(async (result) => {
    if (!result.done) await work(result.value)
    return result
  })
  // Its failure reaches the caller that awaits it.
  done.catch(() => undefined)
  return done
}
