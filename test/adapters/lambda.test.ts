/** AWS runs nowhere but at AWS: events of every form that it documents, made from real requests as its gateways do. */

import { isUtf8 } from 'node:buffer'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type {
  ALBHandler,
  APIGatewayProxyHandler,
  APIGatewayProxyHandlerV2,
  LambdaFunctionURLHandler,
} from 'aws-lambda'
import { expect, expectTypeOf, it } from 'vitest'
import { createLambdaHandler, type LambdaEvent, type LambdaResult } from '../../src/adapters/lambda.ts'
import { eventOf, sign } from '../support/deliveries.ts'
import { database, describeAdapter, type Serve } from './contract.ts'
import { listen } from './serve.ts'

interface Arrived {
  readonly method: string
  readonly path: string
  /** The values of each header. */
  readonly lines: Record<string, string[]>
  readonly body: string | null
  readonly isBase64Encoded: boolean
}

/** As each gateway describes a request: https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html */
const FORMS: Readonly<Record<string, (arrived: Arrived) => LambdaEvent>> = {
  'a REST API': ({ method, path, lines, ...body }) => ({
    httpMethod: method,
    headers: titleCased(lastOf(lines)),
    multiValueHeaders: titleCased(lines),
    requestContext: { httpMethod: method, path, stage: 'prod' },
    ...body,
  }),
  'an HTTP API or a function URL': ({ method, path, lines, body, isBase64Encoded }) => ({
    ...{ version: '2.0', rawPath: path },
    headers: mapped(lines, (values) => values.join(',')),
    requestContext: { http: { method, path, protocol: 'HTTP/1.1' }, stage: '$default' },
    isBase64Encoded,
    // It leaves the field out where there is no body.
    ...(body !== null && { body }),
  }),
  'a load balancer': ({ method, lines, body, isBase64Encoded }) => ({
    httpMethod: method,
    headers: lastOf(lines),
    requestContext: { elb: { targetGroupArn: 'arn:aws:elasticloadbalancing:…' } },
    body: body ?? '',
    isBase64Encoded,
  }),
  'a load balancer with multi-value headers': ({ method, lines, body, isBase64Encoded }) => ({
    httpMethod: method,
    multiValueHeaders: lines,
    requestContext: { elb: { targetGroupArn: 'arn:aws:elasticloadbalancing:…' } },
    body: body ?? '',
    isBase64Encoded,
  }),
}

type Handle = (event: LambdaEvent) => Promise<LambdaResult>

/** A gateway in front of a function. Text goes as it is, unless everything counts as binary. */
function gateway(
  form: (arrived: Arrived) => LambdaEvent,
  isBinary: boolean,
  handle: Handle,
): ReturnType<typeof listen> {
  return listen(async (request, response) => {
    const bytes = await buffer(request).catch(() => undefined)
    if (bytes) send(response, await handle(form(arrivedOf(request, bytes, isBinary))))
  })
}

function arrivedOf(request: IncomingMessage, bytes: Buffer, isBinary: boolean): Arrived {
  const isBase64Encoded = bytes.length > 0 && (isBinary || !isUtf8(bytes))
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    lines: mapped(request.headersDistinct, (values) => values ?? []),
    body: bytes.length === 0 ? null : bytes.toString(isBase64Encoded ? 'base64' : 'utf8'),
    isBase64Encoded,
  }
}

function send(
  response: ServerResponse,
  { statusCode, headers, multiValueHeaders, body }: LambdaResult,
): void {
  response.writeHead(statusCode, { ...headers, ...multiValueHeaders }).end(body)
}

function mapped<Value, Result>(
  headers: Readonly<Record<string, Value>>,
  change: (value: Value) => Result,
): Record<string, Result> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, change(value)]))
}

function lastOf(lines: Record<string, string[]>): Record<string, string> {
  return mapped(lines, (values) => values.at(-1) ?? '')
}

function titleCased<Value>(headers: Record<string, Value>): Record<string, Value> {
  const title = (name: string) => name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [title(name), value]))
}

for (const [name, form] of Object.entries(FORMS)) {
  for (const isBinary of [false, true]) {
    const parsedFirst: Serve = (sync) => {
      const handle = createLambdaHandler(sync)
      const parsed = (event: LambdaEvent) =>
        JSON.parse(Buffer.from(event.body ?? '', isBinary ? 'base64' : 'utf8').toString())
      return gateway(form, isBinary, (event) => handle({ ...event, body: parsed(event) }))
    }
    describeAdapter(`Lambda behind ${name}${isBinary ? ', in base64' : ''}`, {
      serve: (sync) => gateway(form, isBinary, createLambdaHandler(sync)),
      readsBodies: true,
      joinsHeaders: !name.includes('REST') && !name.includes('multi-value'),
      lost: { 'a JSON body parser': [parsedFirst, /without a JSON body parser such as middy’s/] },
    })
  }
}

it('answers a load balancer with multi-value headers in the only form that it reads', async () => {
  const handle = createLambdaHandler(await database.open())
  const { headers, body } = sign(eventOf('user.created'))
  const result = await handle({
    httpMethod: 'POST',
    multiValueHeaders: mapped(headers, (value) => [value]),
    body,
  })
  expect(result).toMatchObject({
    statusCode: 200,
    multiValueHeaders: { 'content-type': ['application/json'] },
  })
})

it('has the types of AWS', () => {
  const handle = createLambdaHandler
  expectTypeOf(handle()).toExtend<APIGatewayProxyHandler>()
  expectTypeOf(handle()).toExtend<APIGatewayProxyHandlerV2>()
  expectTypeOf(handle()).toExtend<LambdaFunctionURLHandler>()
  expectTypeOf(handle()).toExtend<ALBHandler>()
})
