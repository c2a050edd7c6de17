/** A real Prometheus scrapes the running server, and an alert fires. */

import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { startCli, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { eventOf, sign } from '../support/deliveries.ts'
import { describeWithPrometheus, PrometheusServer } from '../support/prometheus.ts'

/** Nobody waits minutes in a test: how long a rule waits is what `promtool test rules` looks at. */
const RULES = readFileSync('deploy/prometheus/alerts.yml', 'utf8').replaceAll(/for: \w+/g, 'for: 0s')

const CONFIG = `export default {
  handlers: [{
    name: 'failing', patterns: ['user.created'], handle: () => { throw new Error('no') }, retryDelays: [], timeoutMs: 1000,
    concurrency: 1, isOrdered: false, isTransactional: false, acceptsForgottenSecrets: false,
  }],
}
`

describeWithPrometheus('Prometheus', () => {
  describeWithPostgres('and a server on Postgres', (url) => {
    const folder = temporaryFolder()
    const database = postgresDatabase(url)

    it('scrapes the port for metrics, and fires an alert that names its runbook', async () => {
      const cwd = await folder()
      await writeFile(join(cwd, 'clerk-sync.config.mjs'), CONFIG)
      const { schema } = await database.location()
      const env = { DATABASE_URL: url, CLERK_SYNC_SCHEMA: schema, CLERK_SYNC_METRICS_PORT: '0' }
      const cli = await startCli([], { cwd, env })
      onTestFinished(async () => void (await cli.stop('SIGKILL')))
      const [, port] = /Metrics\s+http:\/\/localhost:(\d+)\/metrics/.exec(cli.stderr) ?? []
      expect(cli.url).not.toContain(`:${port}/`)
      expect((await fetch(cli.url.replace(/\/api.*/, '/metrics'))).status).toBe(404)
      expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404)
      const { body, headers } = sign(eventOf('user.created', { id: 'user_scraped' }))
      expect((await fetch(cli.url, { method: 'POST', headers, body })).status).toBe(200)
      const prometheus = await PrometheusServer.start(Number(port), RULES)
      onTestFinished(() => prometheus.stop())
      const alert = await prometheus.firing('ClerkSyncDeadRuns')
      expect(alert.labels).toMatchObject({ handler: 'failing', severity: 'warning' })
      expect(alert.annotations).toMatchObject({
        summary: 'Handler runs of failing that exhausted all retries: 1.',
        runbook_url: expect.stringMatching(/docs\/runbooks\/dead-runs\.md$/),
      })
      await vi.waitFor(async () =>
        expect(
          await prometheus.query('clerk_sync_deliveries_total{event_type="user.created",outcome="applied"}'),
        ).toEqual([1]),
      )
      expect(await prometheus.query('clerk_sync_connections > 0')).toHaveLength(1)
    }, 60_000)
  })
})
