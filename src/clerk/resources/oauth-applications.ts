import { OLDEST_FIRST } from '../api-description.ts'
import { boolean, defineResource, json, key, text } from '../resource.ts'

export const oauthApplications = defineResource({
  table: 'oauth_applications',
  description: 'The applications that users can sign in to with Clerk as their OAuth provider.',
  events: {},
  columns: {
    name: text(),
    client_id: key(),
    client_uri: text(),
    client_image_url: text(),
    public: boolean(),
    dynamically_registered: boolean(),
    consent_screen_enabled: boolean(),
    pkce_required: boolean(),
    scopes: text(),
    redirect_uris: json<string[]>(),
    callback_url: text(),
    authorize_url: text(),
    token_fetch_url: text(),
    user_info_url: text(),
    discovery_url: text(),
    token_introspection_url: text(),
  },
  indexes: ['client_id'],
  api: {
    lists: [{ path: '/oauth_applications', paging: 'offset', query: OLDEST_FIRST }],
    get: '/oauth_applications/{id}',
  },
})
