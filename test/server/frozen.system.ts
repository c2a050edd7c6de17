/**
 * One receiver stands still in the middle of its transactions, or loses its network: the other goes on.
 *
 * FROZEN_SECONDS=35 npx vitest run test/server/frozen.system.ts leaves it so for as long as an operator needs to notice.
 */

import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { createSimulatedClerk, signDelivery } from '../../src/testing/index.ts'
import { type CliProcess, startCli } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase, SECRET } from '../support/databases.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

const FROZEN_MS = Number(process.env.FROZEN_SECONDS ?? 8) * 1_000
const MAX_GAP_MS = 5_000

describeWithPostgres('a receiver that stands still', (url) => {
  const database = postgresDatabase(url)

  async function start(databaseUrl: string): Promise<CliProcess> {
    await database.open()
    const { schema } = await database.location()
    return startCli([], {
      cwd: tmpdir(),
      env: { DATABASE_URL: databaseUrl, CLERK_SYNC_SCHEMA: schema },
    })
  }

  /** Both get events of the same users, so that each waits for rows of the other. Resolves with the times of one's answers. */
  async function load(
    addresses: readonly string[],
    watched: string,
    until: () => boolean,
  ): Promise<number[]> {
    const clerk = createSimulatedClerk({ seed: 7 })
    for (let users = 0; users < 5; users++) clerk.act('createUser')
    const answers: number[] = []
    const send = async (address: string) => {
      while (!until()) {
        for (const event of clerk.act('updateUser')) {
          const { headers, body } = signDelivery(event, { secret: SECRET })
          const response = await fetch(address, {
            method: 'POST',
            headers,
            body,
            signal: AbortSignal.timeout(FROZEN_MS + 20_000),
          }).catch(() => undefined)
          if (address === watched && response?.status === 200) answers.push(performance.now())
        }
      }
    }
    await Promise.all(addresses.flatMap((address) => Array.from({ length: 8 }, () => send(address))))
    return answers
  }

  const longestGap = (times: readonly number[]) =>
    Math.max(...times.slice(1).map((time, at) => time - (times[at] as number)))

  it.each(['SIGSTOP', 'a silent network'])(
    'by %s holds up the other for seconds at most',
    { timeout: 120_000 },
    async (fault) => {
      const proxy = await TcpProxy.to(new URL(url))
      const [healthy, frozen] = await Promise.all([start(url), start(proxy.url(new URL(url)))])
      let isOver = false
      const answers = load([healthy.url, frozen.url], healthy.url, () => isOver)
      await sleep(1_500)
      if (fault === 'SIGSTOP') frozen.send('SIGSTOP')
      else proxy.isSilent = true
      await sleep(FROZEN_MS)
      isOver = true
      if (fault === 'SIGSTOP') frozen.send('SIGCONT')
      proxy.isSilent = false
      proxy.cut()
      const gap = longestGap(await answers)
      console.info(`longest gap of the healthy receiver with ${fault}: ${Math.round(gap)} ms`)
      expect(gap).toBeLessThan(MAX_GAP_MS)
      await Promise.all([healthy, frozen].map((server) => server.stop('SIGKILL')))
      await proxy.close()
    },
  )
})
