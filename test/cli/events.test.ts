import { beforeAll, expect, it } from 'vitest'
import type { ClerkSync } from '../../src/index.ts'
import { callCli, jsonLines, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { forgetBody, secretBodyIn } from '../support/ledger.ts'

/** A user of hostile name; the type would turn a terminal red and write backwards. */
const HOSTILE = { type: 'user.\u001b[31mred\u202e', data: { id: 'user_\u009b31m' } }

describeWithPostgres('events', (url) => {
  const folder = temporaryFolder()
  const database = postgresDatabase(url)
  let sync: ClerkSync
  const events = async (args: string[], env: Record<string, string | undefined> = {}) => {
    const { schema } = await database.location()
    const location = { DATABASE_URL: url, CLERK_SYNC_SCHEMA: schema, CLERK_WEBHOOK_SIGNING_SECRET: undefined }
    return callCli(['events', ...args], { cwd: await folder(), env: { ...location, ...env } })
  }

  beforeAll(async () => {
    sync = await database.open()
    const user = { id: 'user_2Lh9KRbYdEfGhIjKlMnOpQrStUv', updated_at: 1_800_000_000_000 }
    await deliver(sync, eventOf('user.created', user), { id: 'msg_2Lh9KRbYdEfGhIjKlMnOpQr0001' })
    const change = {
      ...user,
      updated_at: user.updated_at + 1,
      first_name: 'Eva',
      unsafe_metadata: { long: 'x'.repeat(300) },
    }
    await deliver(sync, eventOf('user.updated', change), { id: 'msg_2Lh9KRbYdEfGhIjKlMnOpQr0002' })
    await deliver(sync, eventOf('user.updated', user), { id: 'msg_2Lh9KRbYdEfGhIjKlMnOpQr0003' })
    await deliver(sync, eventOf('organizationMembership.created'), { id: 'msg_2Lh9KRbYdEfGhIjKlMnOpQr0004' })
    await deliver(sync, HOSTILE, { id: 'msg_hostile' })
  })

  it('list newest first, as JSON with every fact', async () => {
    const { code, stdout, stderr } = await events(['list', '--json'])
    expect([code, stderr]).toEqual([0, ''])
    const lines = jsonLines(stdout)
    expect(lines.map(({ outcome }) => outcome)).toEqual(['parked', 'applied', 'stale', 'applied', 'applied'])
    expect(lines[0]).toMatchObject({
      id: 'msg_hostile',
      type: HOSTILE.type,
      reason: 'unknown_type',
      deliveries: 1,
    })
  })

  it('never show the secrets of an event whose handlers have not run', async () => {
    const sender = await database.open()
    sender.on('email.created', () => undefined, { name: 'send_mail' })
    const code = { id: 'ema_waiting', data: { otp_code: '424242' } }
    const { svixId } = await deliver(sender, eventOf('email.created', code), { id: 'msg_waiting' })
    expect(await secretBodyIn(sender, svixId)).toContain('424242')
    const { stdout } = await events(['show', svixId, '--json'])
    expect(Object.keys(jsonLines(stdout)[0] ?? {})).not.toContain('secret_body')
    expect(stdout).not.toContain('424242')
    await sender.database.deleteFrom('events').where('id', '=', svixId).execute()
  })

  it('list what the filters mean, and the page after an event', async () => {
    const args = [
      'list',
      '--json',
      '--type',
      'user.updated',
      '--type',
      'organization*',
      '--outcome',
      'applied',
    ]
    const { stdout } = await events([...args, '--outcome', 'stale', '--since', '1h', '--limit', '2'])
    const page = jsonLines(stdout)
    expect(page.map(({ type }) => type)).toEqual(['organizationMembership.created', 'user.updated'])
    const next = await events([...args, '--before', page[1]?.id as string, '--resource', 'users'])
    expect(jsonLines(next.stdout).map(({ outcome }) => outcome)).toEqual(['applied'])
    const none = await events(['list', '--subject', 'user_other', '--until', '2020-01-01'])
    expect(none).toMatchObject({ code: 0, stdout: '', stderr: 'No events match.\n' })
  })

  it.each([200, 100, 80, 50])('fit into %i columns, with whole ids and what changed', async (columns) => {
    const { stdout } = await events(['list'], { COLUMNS: String(columns) })
    const lines = stdout.trimEnd().split('\n')
    const first = lines.filter((line) => /^\d\d:\d\d:\d\d {2}[✓~!] (applied|stale|parked)( |$)/.test(line))
    expect(first).toHaveLength(5)
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns)
    for (const fact of [
      'msg_2Lh9KRbYdEfGhIjKlMnOpQr0001',
      'user_2Lh9KRbYdEfGhIjKlMnOpQrStUv',
      'the row is newer',
      'first_name',
    ])
      expect(stdout.includes(fact)).toBe(columns > 50)
  })

  it('never let data command the terminal', async () => {
    for (const args of [['list'], ['show', 'msg_hostile'], ['show', 'msg_hostile', '--json']]) {
      const { stdout } = await events(args)
      expect(stdout).toContain('user.\\u001b[31mred\\u202e')
      expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u)
    }
  })

  it('show one: facts, changes and payload', async () => {
    const { code, stdout } = await events(['show', 'msg_2Lh9KRbYdEfGhIjKlMnOpQr0002'], { COLUMNS: '80' })
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^event +msg_2Lh9KRbYdEfGhIjKlMnOpQr0002\noutcome +✓ applied\ntype +user.updated\n/,
    )
    expect(stdout).toMatch(/^first_name +"Ada" → "Eva"$/m)
    expect(stdout).toMatch(/^unsafe_metadata\n {2}- \{\}\n {2}\+ \{"long":"x+…$/m)
    expect(stdout).toContain('\n    "first_name": "Eva",\n')
    const stale = await events(['show', 'msg_2Lh9KRbYdEfGhIjKlMnOpQr0003'])
    expect(stale.stdout).toMatch(/^reason +older_than_row: the row is newer$/m)
  })

  it('show the exact bytes of a body', async () => {
    const { stdout } = await events(['show', 'msg_hostile', '--body'])
    expect(stdout).toBe(JSON.stringify(HOSTILE))
    const whole = await events(['show', 'msg_hostile', '--json'])
    expect(jsonLines(whole.stdout)).toMatchObject([{ id: 'msg_hostile', body: stdout }])
  })

  it('say when an event, or its body, is not there', async () => {
    await deliver(sync, eventOf('user.created'), { id: 'msg_bodiless' })
    await forgetBody(sync, 'msg_bodiless')
    const bodiless = await events(['show', 'msg_bodiless', '--body'])
    expect([bodiless.code, bodiless.stdout]).toEqual([1, ''])
    expect(bodiless.stderr).toContain('✗ body_not_kept')
    expect((await events(['show', 'msg_bodiless'])).stdout).toContain('no longer kept')
    for (const args of [
      ['show', 'msg_none'],
      ['list', '--before', 'msg_none'],
      ['replay', 'msg_none', '--yes'],
    ]) {
      const { code, stdout, stderr } = await events(args)
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toContain('✗ event_not_found')
    }
  })

  it('are not read from an embedded database that is not there', async () => {
    const { code, stderr } = await events(['list'], { DATABASE_URL: undefined })
    expect(code).toBe(1)
    expect(stderr).toContain('✗ embedded_missing')
  })

  it('are replayed only if somebody says which, and confirms', async () => {
    const unclear = await events(['replay'])
    expect([unclear.code, unclear.stdout]).toEqual([2, ''])
    expect(unclear.stderr).toContain('--all')
    const unconfirmed = await events(['replay', '--outcome', 'stale'])
    expect([unconfirmed.code, unconfirmed.stdout]).toEqual([2, ''])
    expect(unconfirmed.stderr).toContain('1 event (1 stale), received')
    expect(unconfirmed.stderr).toContain('--yes')
    const rows = await sync.database
      .selectFrom('events')
      .select('id')
      .where('replayed_at', 'is not', null)
      .execute()
    expect(rows).toEqual([])
  })

  it('are replayed, with the exit code 3 as long as something stays parked', async () => {
    const foreign = await database.open({ instanceId: 'ins_other' })
    await deliver(foreign, eventOf('user.created', { id: 'user_foreign' }), { id: 'msg_foreign' })
    const args = ['replay', 'msg_foreign', '--yes']
    const parked = await events([...args, '--json'], { CLERK_INSTANCE_ID: 'ins_other' })
    expect([parked.code, parked.stderr]).toEqual([3, ''])
    expect(jsonLines(parked.stdout)).toMatchObject([{ matched: 1, parked: 1, applied: 0 }])

    expect(await events(args)).toMatchObject({ code: 0, stdout: '✓ applied  1\nmatched    1\n' })
    const user = await sync.database
      .selectFrom('users')
      .select('id')
      .where('id', '=', 'user_foreign')
      .execute()
    expect(user).toHaveLength(1)
  })
})
