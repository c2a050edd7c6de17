import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { runInNewContext } from 'node:vm'
import { afterAll, describe, expect, it } from 'vitest'
import { type RawBody, readBody } from '../../src/webhook/body.ts'

const LIMIT = 1_000
const LIMITS = { maxBodyBytes: LIMIT, hold: () => undefined }
const HELLO = Buffer.from('héllo')

async function* chunksOf(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

/** A body that tells how much of it was read. */
function counted(chunkSize: number) {
  const read = { bytes: 0 }
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      read.bytes += chunkSize
      yield Buffer.alloc(chunkSize, 'x')
    }
  }
  return { body: endless(), read }
}

function webStream(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new Request('https://test/', { method: 'POST', body: Uint8Array.from(bytes) })
    .body as ReadableStream<Uint8Array>
}

async function disturbed(stream: ReadableStream<Uint8Array>): Promise<RawBody> {
  await new Response(stream).text()
  return stream
}

async function consumed(stream: Readable): Promise<RawBody> {
  await text(stream)
  return stream
}

/** What an app without types may hand over. */
const wrong = (body: unknown) => body as RawBody

describe('reading a body', () => {
  it.each<[string, () => RawBody]>([
    ['a Buffer', () => HELLO],
    ['a part of a larger buffer', () => Buffer.concat([Buffer.from('..'), HELLO]).subarray(2)],
    ['a Uint8Array of another realm, as in Jest', () => runInNewContext(`new Uint8Array([${[...HELLO]}])`)],
    ['an ArrayBuffer', () => Uint8Array.from(HELLO).buffer],
    ['text', () => HELLO.toString()],
    ['a generator', () => chunksOf(HELLO.subarray(0, 2), HELLO.subarray(2))],
    ['a Node stream', () => Readable.from([HELLO.subarray(0, 2), HELLO.subarray(2)])],
    ['the stream of a web request', () => webStream(HELLO)],
  ])('gives the exact bytes of %s', async (_, body) => {
    expect(Buffer.from(await readBody(body(), undefined, LIMITS)).equals(HELLO)).toBe(true)
  })

  it.each<[string, () => RawBody | Promise<RawBody>, string]>([
    ['a parsed object', () => wrong({ type: 'user.created' }), 'got object'],
    ['a parsed list', () => wrong([1, 2]), 'got object'],
    ['nothing', () => wrong(undefined), 'got undefined'],
    ['null', () => wrong(null), 'got null'],
    ['a number', () => wrong(1), 'got number'],
    ['a Node stream that gives text', () => Readable.from([HELLO]).setEncoding('utf8'), 'gives strings'],
    ['a stream of objects', () => Readable.from([{ a: 1 }]), 'gives objects'],
    ['a Node stream that was read', () => consumed(Readable.from([HELLO])), 'of 6 bytes, none were left'],
    ['a web stream that was read', () => disturbed(webStream(HELLO)), 'was read before'],
    [
      'an empty buffer of a body that was declared longer',
      () => Buffer.alloc(0),
      'of 6 bytes, none were left',
    ],
  ])('says that %s was parsed or read before', async (_, body, detail) => {
    const error = await readBody(await body(), HELLO.length, LIMITS).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'body_already_parsed', status: 400 })
    expect(error.message).toContain(detail)
    expect(error.remedy).toContain('express.json()')
  })

  it.each<[string, RawBody, number | undefined]>([
    ['bytes', Buffer.alloc(0), undefined],
    ['text', '', 0],
    ['a stream', Readable.from([]), undefined],
  ])('says that %s without content are empty', async (_, body, declared) => {
    await expect(readBody(body, declared, LIMITS)).rejects.toMatchObject({ code: 'body_empty', status: 400 })
  })

  it('does not read at all what is declared too large', async () => {
    const { body, read } = counted(10)
    await expect(readBody(body, LIMIT + 1, LIMITS)).rejects.toMatchObject({
      code: 'body_too_large',
      status: 413,
    })
    expect(read.bytes).toBe(0)
  })

  it.each([undefined, 10])('stops at the limit when the declared length is %s', async (declared) => {
    const { body, read } = counted(300)
    await expect(readBody(body, declared, LIMITS)).rejects.toMatchObject({ code: 'body_too_large' })
    expect(read.bytes).toBe(1_200)
  })

  it('takes a body of exactly the limit, and no byte more', async () => {
    expect(await readBody(Buffer.alloc(LIMIT, 'x'), LIMIT, LIMITS)).toHaveLength(LIMIT)
    expect(await readBody(chunksOf(Buffer.alloc(LIMIT, 'x')), undefined, LIMITS)).toHaveLength(LIMIT)
    const over = Buffer.alloc(LIMIT + 1, 'x')
    for (const body of [over, over.toString(), chunksOf(over)]) {
      await expect(readBody(body, undefined, LIMITS)).rejects.toMatchObject({ code: 'body_too_large' })
    }
  })

  it('counts bytes, not characters', async () => {
    await expect(readBody('é'.repeat(LIMIT - 1), undefined, LIMITS)).rejects.toMatchObject({
      code: 'body_too_large',
    })
  })

  it('refuses invalid UTF-8, also when a character is cut between two chunks', async () => {
    await expect(readBody(Buffer.from('c3', 'hex'), 1, LIMITS)).rejects.toMatchObject({
      code: 'body_not_utf8',
    })
    const halves = chunksOf(HELLO.subarray(0, 2), HELLO.subarray(2))
    expect(Buffer.from(await readBody(halves, undefined, LIMITS)).toString()).toBe('héllo')
  })

  it('says that a stream which breaks ended early, and keeps its error as the cause', async () => {
    const cause = new Error('ECONNRESET')
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield HELLO
      throw cause
    }
    const error = await readBody(breaking(), undefined, LIMITS).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'body_incomplete', status: 400, cause })
    expect(error.message).not.toContain('ECONNRESET')
  })
})

describe('reading a request', () => {
  const bodies: Promise<Uint8Array>[] = []
  const server = createServer((request, response) => {
    const declared = request.headers['content-length']
    const body = readBody(request, declared ? Number(declared) : undefined, LIMITS)
    bodies.push(body)
    body.catch(({ status }) => response.writeHead(status).end())
  })
  afterAll(() => server.close())

  async function open(headers: string) {
    if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
    const requested = once(server, 'request')
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined)
    socket.write(`POST / HTTP/1.1\r\nhost: test\r\n${headers}\r\n\r\n`)
    await requested
    return { socket, body: bodies.at(-1) as Promise<Uint8Array> }
  }

  it('says that an aborted request ended early', async () => {
    const { socket, body } = await open('content-length: 100')
    socket.write('{"half":', () => socket.destroy())
    await expect(body).rejects.toMatchObject({ code: 'body_incomplete' })
  })

  it('refuses a chunked body at the limit while more of it is arriving, and the sender gets the answer', async () => {
    const { socket, body } = await open('transfer-encoding: chunked')
    const answer = once(socket, 'data')
    for (let sent = 0; sent < 3; sent++) socket.write(`1f4\r\n${'x'.repeat(500)}\r\n`)
    await expect(body).rejects.toMatchObject({ code: 'body_too_large' })
    expect(String(await answer)).toContain('413 Payload Too Large')
    socket.destroy()
  })
})
