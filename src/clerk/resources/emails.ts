import { boolean, defineResource, id, json, text } from '../resource.ts'
import { messageSecrets } from '../secrets.ts'

export const emails = defineResource({
  table: 'emails',
  description:
    'A log of the e-mails that Clerk sent or asked to send. One-time codes and tickets are not kept.',
  events: { 'email.created': 'upsert' },
  columns: {
    slug: text(),
    user_id: id(),
    email_address_id: id(),
    to_email_address: text(),
    from_email_name: text(),
    reply_to_email_name: text(),
    subject: text(),
    body: text(),
    body_plain: text(),
    status: text(),
    delivered_by_clerk: boolean(),
    suppression_reason: text(),
    data: json(),
  },
  secrets: messageSecrets('subject', 'body', 'body_plain'),
  indexes: ['user_id'],
})
