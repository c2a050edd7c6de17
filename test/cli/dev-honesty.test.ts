import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { footerLines } from '../../src/cli/dev/footer.ts'
import { Forwarding } from '../../src/cli/dev/forwarding.ts'
import { Output } from '../../src/cli/output.ts'
import { CliProcess, temporaryFolder } from '../support/cli.ts'
import { eventOf, sign } from '../support/deliveries.ts'
import { serveHttp } from '../support/http.ts'

const folder = temporaryFolder()

it('says at once that it starts, and finds nothing wrong with itself', async () => {
  const env = { CLERK_WEBHOOK_SIGNING_SECRET: undefined, PORT: '' }
  const cli = new CliProcess(['dev', '--port', '0', '--rate', '20/s'], { cwd: await folder(), env })
  await cli.until(/dashboard=\S+\n[\s\S]*user\./)
  const [, dashboard] = /dashboard=(\S+)/.exec(cli.stdout) ?? []
  const response = await fetch(`${dashboard}/api/health`)
  const { checks } = (await response.json()) as { checks: { status: string; code: string | null }[] }
  expect(checks.filter(({ status }) => status !== 'pass')).toEqual([])
  expect(checks.length).toBeGreaterThan(5)
  await cli.stop()
}, 60_000)

describe('the footer', () => {
  const shown = (trouble: string | undefined) =>
    footerLines(
      { counts: [], p95: undefined, activity: 'live', trouble, prompt: undefined, keys: [] },
      Object.defineProperty(new Output({}).stderr, 'width', { value: 100 }),
    ).join('\n')

  it.each([
    [200, undefined],
    [500, 'your app answers 500'],
  ])('tells of an app that answers %s: %s', async (status, trouble) => {
    const app = await serveHttp((_, response) => void response.writeHead(status).end())
    const forwarding = new Forwarding(new URL(app), new Output({ quiet: true }))
    const { headers, body } = sign(JSON.stringify(eventOf('user.created')), { id: 'msg_1' })
    forwarding.forward({ svixId: 'msg_1', headers, body: Buffer.from(body) })
    await forwarding.finished()
    await sleep(0)
    expect(forwarding.trouble).toBe(trouble)
    expect(shown(forwarding.trouble)).toContain(trouble === undefined ? '● live' : `✗ ${trouble}, live`)
  })
})
