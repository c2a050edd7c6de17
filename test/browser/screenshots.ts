/**
 * Makes the screenshots: every page in both themes and on a phone, of a simulated day in a simulated company, into
 * `docs/images/`. Needs a Postgres (TEST_DATABASE_URL) and a Chromium (TEST_CHROMIUM). `npm run screenshots`
 */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import type { Page } from 'playwright-core'
import { findChromium } from '../support/chromium.ts'
import { launch, signIn } from './browser.ts'
import { openStage, type Stage } from './stage.ts'

const FOLDER = join(import.meta.dirname, '../../docs/images')
const DATABASE = process.env.TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/test'
const SCHEMA = 'clerk_sync_screenshots'
const STEPS = 36
const STEP_MINUTES = 40

const VARIANTS = [
  { name: 'light', colorScheme: 'light', width: 1280, height: 800 },
  { name: 'dark', colorScheme: 'dark', width: 1280, height: 800 },
  { name: 'phone', colorScheme: 'light', width: 390, height: 800 },
] as const

/** A day, told from its end: everything is made older, step by step. */
async function liveADay(stage: Stage, client: pg.Client): Promise<void> {
  const older = `interval '${STEP_MINUTES} minutes'`
  for (let step = 0; step < STEPS; step++) {
    stage.crm.isDown = step > STEPS - 4
    stage.clerk.advanceTo(Date.now() - 1_500)
    await stage.live(4 + Math.round(10 * Math.sin(step / 5) ** 2))
    await stage.sync.drain({ maxSeconds: 5 })
    if (step === STEPS - 1) break
    // Far away first: rows that move one after the other would meet.
    await client.query(`
      update ${SCHEMA}.event_minutes set minute = minute - interval '1000 days';
      update ${SCHEMA}.event_minutes set minute = minute + interval '1000 days' - ${older};
      update ${SCHEMA}.events set received_at = received_at - ${older},
        occurred_at = received_at - ${older} - random() * interval '300 milliseconds';
      update ${SCHEMA}.handler_runs set created_at = created_at - ${older}`)
  }
}

async function pagesOf(stage: Stage): Promise<Readonly<Record<string, string>>> {
  const { database } = stage.sync
  const failing = await database
    .selectFrom('handler_runs')
    .select('event_id')
    .where('status', '=', 'retrying')
    .executeTakeFirstOrThrow()
  const user = await database
    .selectFrom('users')
    .select('id')
    .where('primary_email_address', 'is not', null)
    .executeTakeFirstOrThrow()
  const job = await database.selectFrom('jobs').select('id').executeTakeFirstOrThrow()
  return {
    overview: '?since=24h',
    events: 'events',
    event: `events/${encodeURIComponent(failing.event_id)}`,
    resources: 'resources/users',
    resource: `resources/users/${user.id}`,
    failures: 'failures',
    rejected: 'rejected',
    jobs: 'jobs',
    job: `jobs/${job.id}`,
    health: 'health',
    settings: 'settings',
    simulator: 'simulator',
  }
}

async function take(page: Page, url: string, name: string): Promise<void> {
  await page.goto(url)
  await page.getByRole('main').waitFor()
  await page.waitForFunction(() => document.querySelector('.loading') === null)
  // The pages' own clock and the last answer.
  await page.waitForTimeout(250)
  await page.screenshot({ path: join(FOLDER, `${name}.png`), animations: 'disabled' })
}

const executable = await findChromium(async () => false)
if (executable === null) throw new Error('There is no Chromium: set TEST_CHROMIUM.')
mkdirSync(FOLDER, { recursive: true })
const client = new pg.Client({ connectionString: DATABASE })
await client.connect()
await client.query(`drop schema if exists ${SCHEMA} cascade`)
{
  await using stage = await openStage({ database: DATABASE, schema: SCHEMA })
  const browser = await launch(executable)
  await stage.sync.backfill()
  await liveADay(stage, client)
  const pages = await pagesOf(stage)
  for (const { name, colorScheme, width, height } of VARIANTS) {
    const context = await browser.newContext({
      colorScheme,
      viewport: { width, height },
      reducedMotion: 'reduce',
    })
    const page = await context.newPage()
    await signIn(page, stage.url)
    for (const [title, path] of Object.entries(pages)) await take(page, stage.url + path, `${title}-${name}`)
    await context.close()
  }
  await browser.close()
}
await client.query(`drop schema if exists ${SCHEMA} cascade`)
await client.end()
