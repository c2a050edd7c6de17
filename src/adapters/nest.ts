/**
 * The webhook route, handlers and shutdown as a NestJS module, on Express or Fastify.
 *
 * @module clerk-sync/nest
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type DynamicModule,
  type FactoryProvider,
  Inject,
  type ModuleMetadata,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common'
import { DiscoveryModule, DiscoveryService, HttpAdapterHost, MetadataScanner } from '@nestjs/core'
import {
  type ClerkSync,
  ClerkSyncError,
  createResponder,
  type EventPattern,
  type Handler,
  type HandlerOptions,
  type SyncSource,
  sharedClerkSync,
} from '../index.ts'
import { createFastifyHandler } from './fastify.ts'
import { answer } from './node-request.ts'

export interface ClerkSyncModuleOptions {
  /**
   * The sync, or a function that makes it. The module closes it when the app shuts down.
   * @default one made from the environment
   */
  readonly sync?: SyncSource | undefined
  /**
   * The whole path of the webhook route; a global prefix is not added.
   * @default "/api/webhooks/clerk"
   */
  readonly path?: string | undefined
  /**
   * Whether this process runs the methods that {@link OnClerkEvent} marks. They are registered either way.
   * @default true
   */
  readonly work?: boolean | undefined
}

export interface ClerkSyncModuleAsyncOptions<Dependencies extends unknown[] = unknown[]> {
  readonly imports?: ModuleMetadata['imports']
  readonly inject?: FactoryProvider['inject']
  readonly useFactory: (
    ...dependencies: Dependencies
  ) => ClerkSyncModuleOptions | Promise<ClerkSyncModuleOptions>
}

/** The token of the sync, for {@link InjectClerkSync} and for overriding it in tests. */
export const CLERK_SYNC = Symbol('clerk-sync')
const OPTIONS = Symbol('clerk-sync.options')
const LIFECYCLE = Symbol('clerk-sync.lifecycle')

/** Injects the {@link ClerkSync} of the module. */
export const InjectClerkSync = (): ReturnType<typeof Inject> => Inject(CLERK_SYNC)

interface Listening {
  readonly patterns: EventPattern | readonly EventPattern[]
  readonly options: HandlerOptions
}

/** By the method that was marked. */
const LISTENING = new WeakMap<object, Listening>()

/**
 * Makes a method of a provider or controller a handler of events. Its name, which identifies its runs for ever, is
 * `Class.method` unless you give one.
 *
 * @example
 * @OnClerkEvent('user.created', { name: 'create-profile' })
 * async createProfile({ event, tx }: HandlerContext<'user.created'>) { … }
 */
export function OnClerkEvent<Pattern extends EventPattern>(
  patterns: Pattern | readonly Pattern[],
  options: HandlerOptions = {},
) {
  return <Method extends Handler<Pattern>>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): void => {
    const name = options.name ?? `${target.constructor.name}.${String(key)}`
    if (descriptor.value) LISTENING.set(descriptor.value, { patterns, options: { ...options, name } })
  }
}

/**
 * The module. It answers deliveries in front of Nest's body parser, guards and interceptors, so that neither `rawBody`
 * nor a public-route decorator is needed.
 *
 * @example
 * @Module({ imports: [ClerkSyncModule.forRoot()], providers: [Profiles] })
 * class AppModule {}
 */
// biome-ignore lint/complexity/noStaticOnlyClass: Nest takes modules as classes.
export class ClerkSyncModule {
  static forRoot(options: ClerkSyncModuleOptions = {}): DynamicModule {
    return ClerkSyncModule.forRootAsync({ useFactory: () => options })
  }

  /** With options that other providers give, such as a configuration service. */
  static forRootAsync<Dependencies extends unknown[]>(
    options: ClerkSyncModuleAsyncOptions<Dependencies>,
  ): DynamicModule {
    const { imports = [], inject = [], useFactory } = options
    return {
      module: ClerkSyncModule,
      global: true,
      imports: [DiscoveryModule, ...imports],
      providers: [
        {
          provide: OPTIONS,
          inject,
          useFactory: (...given: unknown[]) => useFactory(...(given as Dependencies)),
        },
        { provide: CLERK_SYNC, inject: [OPTIONS], useFactory: syncOf },
        {
          provide: LIFECYCLE,
          inject: [CLERK_SYNC, OPTIONS, HttpAdapterHost, DiscoveryService, MetadataScanner],
          useFactory: (...given: ConstructorParameters<typeof Lifecycle>) => new Lifecycle(...given),
        },
      ],
      exports: [CLERK_SYNC],
    }
  }
}

function syncOf({ sync = sharedClerkSync }: ClerkSyncModuleOptions): ClerkSync {
  return typeof sync === 'function' ? sync() : sync
}

const PATH = '/api/webhooks/clerk'
const ADVICE =
  'Nest parsed it; create the app with NestFactory.create(AppModule, { rawBody: true }), or register no body parser on the server that you give to ExpressAdapter'

type Wrapper = ReturnType<DiscoveryService['getProviders']>[number]
type NodeHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** What is used of the servers below Nest. */
interface Server {
  all(path: string, route: NodeHandler | ReturnType<typeof createFastifyHandler>): unknown
}

class Lifecycle implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  readonly #sync: ClerkSync
  readonly #options: ClerkSyncModuleOptions
  readonly #host: HttpAdapterHost
  readonly #discovery: DiscoveryService
  readonly #scanner: MetadataScanner
  readonly #registered = new Set<object>()
  #isMounted = false
  #hasHandlers = false

  constructor(
    sync: ClerkSync,
    options: ClerkSyncModuleOptions,
    host: HttpAdapterHost,
    discovery: DiscoveryService,
    scanner: MetadataScanner,
  ) {
    this.#sync = sync
    this.#options = options
    this.#host = host
    this.#discovery = discovery
    this.#scanner = scanner
    // Nest registers its body parser after the providers are made; a route of now comes before it.
    this.#mount()
  }

  onModuleInit(): void {
    // Nest's testing module has its server only now.
    this.#mount()
    const wrappers = [...this.#discovery.getProviders(), ...this.#discovery.getControllers()]
    for (const wrapper of wrappers) this.#register(wrapper)
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.#hasHandlers && (this.#options.work ?? true)) await this.#sync.work()
  }

  onApplicationShutdown(): Promise<void> {
    return this.#sync.close()
  }

  /** An application context without a server has no route: it is a worker. */
  #mount(): void {
    const adapter = this.#host.httpAdapter
    const type = adapter?.getType()
    if (this.#isMounted || (type !== 'express' && type !== 'fastify')) return
    this.#isMounted = true
    const route = type === 'fastify' ? createFastifyHandler(this.#sync) : nodeHandler(this.#sync)
    adapter.getInstance<Server>().all(this.#options.path ?? PATH, route)
  }

  #register(wrapper: Wrapper): void {
    const { instance, name } = wrapper
    if (typeof instance !== 'object' || instance === null || this.#registered.has(instance)) return
    this.#registered.add(instance)
    for (const method of this.#scanner.getAllMethodNames(Object.getPrototypeOf(instance))) {
      const listening = LISTENING.get(instance[method])
      if (!listening) continue
      if (!wrapper.isDependencyTreeStatic())
        throw new ClerkSyncError(
          'handler_invalid',
          `${name}.${method} is in a provider that is made per request`,
        )
      this.#listen(instance, method, listening)
    }
  }

  #listen(instance: Wrapper['instance'], method: string, { patterns, options }: Listening): void {
    this.#hasHandlers = true
    this.#sync.on(patterns as EventPattern, (context) => instance[method](context), options)
  }
}

function nodeHandler(sync: ClerkSync): NodeHandler {
  const respond = createResponder(sync)
  return (request, response) => answer(respond, request, response, ADVICE)
}
