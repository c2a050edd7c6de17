import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterEach, expect, it } from 'vitest'
import { temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase, SECRET } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

describeWithPostgres('mcp', (url) => {
  const database = postgresDatabase(url)
  const cwd = temporaryFolder()
  const clients: Client[] = []
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()))
  })

  async function connect(...flags: string[]): Promise<Client> {
    const { schema } = await database.location()
    const client = new Client({ name: 'test', version: '1' })
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [MAIN, 'mcp', ...flags],
      cwd: await cwd(),
      env: {
        PATH: process.env.PATH ?? '',
        DATABASE_URL: url,
        CLERK_SYNC_SCHEMA: schema,
        CLERK_WEBHOOK_SIGNING_SECRET: SECRET,
      },
    })
    await client.connect(transport)
    clients.push(client)
    return client
  }

  async function call(client: Client, name: string, args: Record<string, unknown> = {}) {
    const { content, isError } = await client.callTool({ name, arguments: args })
    const [{ text }] = content as [{ text: string }]
    return { text, isError, answer: text.startsWith('{') ? JSON.parse(text) : undefined }
  }

  it('answers status, events, failures and a row with its history, with personal data masked', async () => {
    const sync = await database.open()
    const email = { id: 'idn_mcp', email_address: 'grace.hopper@navy.example' }
    const user = {
      id: 'user_mcp',
      first_name: 'Grace',
      email_addresses: [email],
      primary_email_address_id: 'idn_mcp',
    }
    await deliver(sync, eventOf('user.created', user), { id: 'msg_mcp' })
    const client = await connect()

    const { answer: overview } = await call(client, 'status')
    expect(overview.status).toMatchObject({ state: 'healthy' })
    const { answer: events } = await call(client, 'list_events', { type: ['user.*'], limit: 1 })
    expect(events.items).toMatchObject([{ id: 'msg_mcp', outcome: 'applied' }])
    const { answer: failures } = await call(client, 'list_failures')
    expect(failures).toEqual({ groups: [], resolved: [] })
    const { answer: history } = await call(client, 'get_row_history', { resource: 'users', id: 'user_mcp' })
    expect(history.items).toMatchObject([{ id: 'msg_mcp' }])
    const found = await call(client, 'search', { q: 'grace.hopper@navy.example' })
    expect(found.answer.hits[0]).toMatchObject({ id: 'user_mcp' })

    const event = await call(client, 'get_event', { id: 'msg_mcp' })
    const row = await call(client, 'get_row', { resource: 'users', id: 'user_mcp' })
    for (const { text, isError } of [event, row, found]) {
      expect(isError).toBeFalsy()
      expect(text).not.toMatch(/grace\.hopper|"Grace"/)
    }
  })

  it('names the checks of the doctor with their remedies', async () => {
    await database.open()
    const { answer } = await call(await connect(), 'doctor')
    expect(answer.checks.map(({ group }: { group: string }) => group)).toContain('database')
  })

  it('offers tools that change something only with --allow-writes, and audits them', async () => {
    const sync = await database.open()
    await deliver(sync, eventOf('user.created', { id: 'user_replayed' }), { id: 'msg_replayed' })
    const reader = await connect()
    const names = async (client: Client) => (await client.listTools()).tools.map(({ name }) => name)
    expect(await names(reader)).not.toContain('replay_event')
    expect(await call(reader, 'replay_event', { id: 'msg_replayed' })).toMatchObject({ isError: true })

    const writer = await connect('--allow-writes')
    expect(await names(writer)).toContain('replay_event')
    const { answer } = await call(writer, 'replay_event', { id: 'msg_replayed' })
    expect(answer).toEqual({ outcome: 'applied' })
    const audited = await sync.database.selectFrom('audit_log').selectAll().execute()
    expect(audited).toMatchObject([{ actor: 'mcp', action: 'replay' }])
  })

  it('says what is wrong with a call', async () => {
    await database.open()
    const client = await connect()
    expect(await call(client, 'get_event')).toMatchObject({ isError: true, text: 'get_event needs id' })
    expect((await call(client, 'status', { id: 1 })).text).toBe('status has no parameter id')
    expect((await call(client, 'get_event', { id: 'msg_none' })).answer).toMatchObject({
      code: 'event_not_found',
    })
    expect((await call(client, 'list_events', { limit: 0 })).answer).toMatchObject({
      code: 'request_invalid',
    })
    const unknown = await call(client, 'get_row', { resource: 'planets', id: 'x' })
    expect(unknown.isError).toBe(true)
  })
})
