import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { createClerkSync } from '../../src/index.ts'
import { silentLogger } from '../../src/log.ts'
import { DeliveryCapture } from '../../src/server/delivery-capture.ts'
import { temporaryFolder } from '../support/cli.ts'
import { SECRET } from '../support/databases.ts'
import { eventOf, sign } from '../support/deliveries.ts'

const folder = temporaryFolder()

describe('the limits of a sync that is listened in on', () => {
  const headers = sign(eventOf('user.created')).headers
  const MEGABYTE = Buffer.alloc(1_000_000, 'x')

  /** A body without end, which counts what is read of it. */
  function endlessBody() {
    const body = {
      read: 0,
      async *[Symbol.asyncIterator]() {
        for (;;) {
          body.read += MEGABYTE.length
          yield MEGABYTE
        }
      },
    }
    return body
  }

  it('hold while it is read', async () => {
    const taken = vi.fn()
    await using sync = createClerkSync({
      log: silentLogger,
      signingSecret: SECRET,
      database: join(await folder(), 'none'),
      maxBodyBytes: 2_500_000,
    })
    const body = endlessBody()
    const reply = await new DeliveryCapture(taken).on(sync).handle({ method: 'POST', headers, body })
    expect([reply.status, body.read]).toEqual([413, 3_000_000])
    expect(taken).not.toHaveBeenCalled()
  })
})
