import type { INestApplication } from '@nestjs/common'
import { Inject, Injectable, Module, Scope } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import express from 'express'
import { describe, expect, it } from 'vitest'
import { CLERK_SYNC, ClerkSyncModule, InjectClerkSync, OnClerkEvent } from '../../src/adapters/nest.ts'
import type { ClerkSync, HandlerContext } from '../../src/index.ts'
import { embeddedDatabase } from '../support/databases.ts'
import { eventOf, sign } from '../support/deliveries.ts'
import { describeAdapter, type Serve } from './contract.ts'

const QUIET = { logger: false, abortOnError: false } as const

/** An app whose only module is ours; it must not close the sync of the tests. */
function moduleOf(sync: ClerkSync, path = '/webhook'): new () => object {
  class AppModule {}
  const unclosed = { handle: (request) => sync.handle(request), close: async () => undefined } as ClerkSync
  Module({ imports: [ClerkSyncModule.forRoot({ sync: unclosed, path })] })(AppModule)
  return AppModule
}

function serveOn(adapter: () => ExpressAdapter | FastifyAdapter, options: object = {}): Serve {
  return async (sync) => {
    const app: INestApplication = await NestFactory.create(moduleOf(sync), adapter(), {
      ...QUIET,
      forceCloseConnections: true,
      ...options,
    })
    app.setGlobalPrefix('v1')
    await app.listen(0, '127.0.0.1')
    const { port } = app.getHttpServer().address()
    return { port, stop: () => app.close() }
  }
}

const parsing = () => new ExpressAdapter(express().use(express.json()))

describeAdapter('Nest on Express', {
  serve: serveOn(() => new ExpressAdapter()),
  lost: {
    'express.json() of a server of one’s own': [
      serveOn(parsing),
      /register no body parser on the server that you give to ExpressAdapter/,
    ],
  },
  kept: {
    'Nest’s own body parser that keeps the bytes': serveOn(() => new ExpressAdapter(), { rawBody: true }),
  },
})

describeAdapter('Nest on Fastify', {
  serve: serveOn(() => new FastifyAdapter({ forceCloseConnections: true })),
  lost: {
    'a hook that reads the request': [
      serveOn(() => {
        const adapter = new FastifyAdapter({ forceCloseConnections: true })
        adapter.getInstance().addHook('onRequest', async ({ raw }) => void (await raw.toArray()))
        return adapter
      }),
      /onRequest hook read request\.raw first/,
    ],
  },
})

class Audit {
  readonly names: unknown[] = []
}

class Profiles {
  readonly #audit: Audit
  constructor(audit: Audit) {
    this.#audit = audit
  }
  async create({ event }: HandlerContext<'user.created'>): Promise<void> {
    this.#audit.names.push(event.data.first_name)
  }
}
OnClerkEvent('user.created')(
  Profiles.prototype,
  'create',
  Object.getOwnPropertyDescriptor(Profiles.prototype, 'create') as TypedPropertyDescriptor<
    Profiles['create']
  >,
)

describe('a Nest app with handlers', () => {
  const database = embeddedDatabase()
  const profiles = { provide: Profiles, inject: [Audit], useFactory: (audit: Audit) => new Profiles(audit) }

  it('runs the methods of its providers, and closes the sync when it shuts down', async () => {
    const location = await database.location()
    class SettingsModule {}
    Module({ providers: [{ provide: 'place', useValue: location }], exports: ['place'] })(SettingsModule)
    class AppModule {}
    const settings = {
      imports: [SettingsModule],
      inject: ['place'],
      useFactory: async (place: object) => ({
        sync: await database.open({ ...place }),
      }),
    }
    Module({ imports: [ClerkSyncModule.forRootAsync(settings)], providers: [Audit, profiles] })(AppModule)
    const app = await NestFactory.create(AppModule, QUIET)
    await app.listen(0, '127.0.0.1')
    const { headers, body } = sign(eventOf('user.created', { first_name: 'Ada' }))
    const url = `http://127.0.0.1:${app.getHttpServer().address().port}/api/webhooks/clerk?x-vercel-protection-bypass=x`
    expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(200)
    await expect.poll(() => app.get(Audit).names).toEqual(['Ada'])
    const sync: ClerkSync = app.get(CLERK_SYNC)
    const runs = await sync.database.selectFrom('handler_runs').select('handler').execute()
    expect(runs).toEqual([{ handler: 'Profiles.create' }])
    await app.close()
    await expect(sync.receive(body, headers)).rejects.toMatchObject({ status: 503 })
  })

  it('injects its sync into a provider', async () => {
    class Reader {
      readonly sync: ClerkSync
      constructor(sync: ClerkSync) {
        this.sync = sync
      }
    }
    Injectable()(Reader)
    InjectClerkSync()(Reader, undefined, 0)
    class AppModule {}
    const sync = await database.open()
    Module({ imports: [ClerkSyncModule.forRoot({ sync })], providers: [Reader] })(AppModule)
    const app = await NestFactory.create(AppModule, QUIET)
    expect(app.get(Reader).sync).toBe(sync)
    await app.close()
  })

  it('does not start with a handler in a provider that is made per request', async () => {
    class AppModule {}
    class PerRequest extends Profiles {}
    Injectable({ scope: Scope.REQUEST })(PerRequest)
    Inject(Audit)(PerRequest, undefined, 0)
    const sync = await database.open()
    Module({ imports: [ClerkSyncModule.forRoot({ sync })], providers: [Audit, PerRequest] })(AppModule)
    const started = NestFactory.create(AppModule, QUIET).then((app) => app.init())
    await expect(started).rejects.toMatchObject({
      code: 'handler_invalid',
      message: expect.stringMatching(/PerRequest\.create is in a provider that is made per request/),
    })
  })
})
