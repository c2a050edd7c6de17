/**
 * The files of the browser app, inlined: one import and nothing for a bundler to trace. Types only.
 *
 * The app's build writes `assets.ts` beside this file: `export const ASSETS: ReadonlyMap<string, Asset>`, by path within
 * the app. `index.html` is served for every path that is no asset and no route of the API, with these words replaced:
 * `{{nonce}}` by the nonce of the Content-Security-Policy, `{{base}}` by the path of the dashboard with a slash at its end
 * (`<base href="{{base}}">`; all other addresses are relative to it). Scripts and styles need `nonce="{{nonce}}"`; nothing
 * is evaluated, inlined in attributes or fetched from elsewhere.
 */

export interface Asset {
  /** The media type, with its charset. */
  readonly type: string
  /** Changes when the content does. Names that hold it are served as immutable. */
  readonly hash: string
  /** The content, compressed with brotli, in base64. */
  readonly brotli: string
}
