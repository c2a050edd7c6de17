/** A process of its own, for tests that need several: does what its first argument says and tells it in lines of JSON. */

import { createSecretKey } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openDatabase } from '../../src/database/database.ts'
import { lockFolder } from '../../src/database/folder-lock.ts'
import { migrate as migrateTo } from '../../src/database/migrate.ts'
import { createClerkSync } from '../../src/index.ts'
import { sign } from '../../src/webhook/signature.ts'
import { NEXT } from './future-migrations.ts'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

const [command = '', database = '', schema = 'clerk'] = process.argv.slice(2)
const sync = createClerkSync({ signingSecret: SECRET, database, schema, commitTimeoutMs: 10_000 })

const COMMANDS: Readonly<Record<string, () => Promise<void>>> = { migrate, upgrade, hold, fill, contend }

async function migrate(): Promise<void> {
  tell({ migrated: await sync.migrate() })
  await sync.close()
}

/** To an imagined next version. */
async function upgrade(): Promise<void> {
  const next = openDatabase(database, schema, { maxConnections: 2 })
  tell({ migrated: await migrateTo(next, NEXT) })
  await next.close()
}

/** Keeps the database open until the standard input ends. */
async function hold(): Promise<void> {
  await sync.migrate()
  tell({ opened: process.pid })
  process.stdin.resume()
  await new Promise((resolve) => process.stdin.once('end', resolve))
  await sync.close()
}

/** Delivers events until it is killed, and tells of each one that was acknowledged. */
async function fill(): Promise<void> {
  for (let number = 0; ; number++) {
    const body = JSON.stringify({
      type: 'user.created',
      data: { id: `user_${number}`, username: `name${number}` },
    })
    await sync.receive(body, signed(`msg_${number}`, body))
    tell({ acknowledged: number })
  }
}

/** Takes and releases the folder's lock for a while, and counts how often another process had it at the same time. */
async function contend(): Promise<void> {
  const counts = { taken: 0, shared: 0 }
  const until = Date.now() + 1_500
  const compete = async () => {
    while (Date.now() < until) {
      const release = await lockFolder(database).catch(() => undefined)
      if (release === undefined) continue
      counts.taken++
      if (!(await isAlone())) counts.shared++
      await release()
    }
  }
  await Promise.all([compete(), compete(), compete()])
  tell(counts)
}

async function isAlone(): Promise<boolean> {
  const mark = join(database, 'mark')
  const isFirst = await writeFile(mark, '', { flag: 'wx' }).then(
    () => true,
    () => false,
  )
  await rm(mark, { force: true })
  return isFirst
}

function signed(id: string, body: string): Record<string, string> {
  const now = Math.floor(Date.now() / 1000)
  const key = createSecretKey(Buffer.from(SECRET.slice('whsec_'.length), 'base64'))
  return {
    'svix-id': id,
    'svix-timestamp': String(now),
    'svix-signature': `v1,${sign(id, now, Buffer.from(body), key)}`,
  }
}

function tell(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

await COMMANDS[command]?.().catch(({ code, message, remedy }) => {
  tell({ code, message, remedy })
  process.exitCode = 1
})
