// What each backend is asked and told. `http` sends one call: (method, path, body) to parsed JSON.

import { createHash, createHmac } from 'node:crypto';

export const ORGANIZATION = '1000000000000001';
export const BASIC = `Basic ${Buffer.from('bench:bench').toString('base64')}`;
export const SENDGRID_KEY = 'Bearer SG.bench';

const READ_ONLY = new Set([
  ...['id', 'status', 'organizationId', 'createdDate', 'createdId', 'createdName'],
  ...['lastModifiedDate', 'lastModifiedId', 'lastModifiedName', 'groups'],
]);

// The headers of one signed call to iVvy.
export function signed(target, body) {
  const md5 = createHash('md5').update(body).digest('hex');
  const date = new Date().toISOString().slice(0, 19).replace('T', ' ');
  const text = `POST${md5}application/json${target}1.0IVVYDate=${date}`.toLowerCase();
  const signature = createHmac('sha1', 'bench-secret').update(text).digest('hex');
  return {
    'Content-Type': 'application/json',
    'Content-MD5': md5,
    'IVVY-Date': date,
    'X-Api-Authorization': `IWS bench-key:${signature}`,
  };
}

const ivvyTarget = (action) => `/api/1.0/contact?action=${action}`;

export class Ivvy {
  constructor(http, names) {
    this.http = http;
    this.names = names;
  }

  call(action, body) {
    return this.http('POST', ivvyTarget(action), body);
  }

  async upsert(input) {
    const [found, , field] = await Promise.all([
      this.call('getContactList', {
        perPage: 100,
        start: 0,
        filter: { externalId: input.externalId },
      }),
      Promise.all(input.addGroupsName.map((name) => this.group(name))),
      Promise.all(input.customFields.map((one) => this.field(one.name))),
    ]);
    const stored = found.results.find((row) => row.externalId === input.externalId);
    const { id } = await this.call('addOrUpdateContact', {
      ...(stored ? { id: stored.id } : { externalId: input.externalId, updateIfExists: true }),
      firstName: input.firstName,
      lastName: input.lastName,
      ...(stored ? {} : { email: input.email }),
      customFields: input.customFields.map((one, place) => ({
        fieldId: field[place].fieldId,
        value: field[place].options[one.values[0]] ?? one.values[0],
      })),
    });
    return { outcome: stored ? 'UPDATED' : 'CREATED', id };
  }

  group(name) {
    return this.names.id('ivvy groups', name, async () => {
      const rows = await this.call('getSubscriptionGroupList', {});
      return rows.map((row) => [row.groupName, row.id]);
    });
  }

  field(name) {
    return this.names.id('ivvy custom fields', name, async () => {
      const rows = await this.call('getCustomFieldDefinition', {});
      return rows.map((row) => {
        const values = Object.entries(row.selectValues ?? {});
        const options = Object.fromEntries(values.map(([value, label]) => [label, value]));
        return [row.displayName, { fieldId: row.fieldId, options }];
      });
    });
  }
}

export class Everbridge {
  constructor(http, names) {
    this.http = http;
    this.names = names;
  }

  async upsert(input) {
    const key = encodeURIComponent(input.externalId);
    const [found, type, groups, fields, path] = await Promise.all([
      this.http('GET', `/contacts/${ORGANIZATION}?externalIds=${key}&pageNumber=1&pageSize=100`),
      this.id('recordTypes', input.recordTypeName),
      Promise.all(input.addGroupsName.map((name) => this.id('groups', name))),
      Promise.all(input.customFields.map((one) => this.id('contactAttributes', one.name))),
      this.id('contactPaths', 'Work Email'),
    ]);
    const stored = found.page.data.find((row) => row.externalId === input.externalId);
    const kept = Object.entries(stored ?? {}).filter(([name]) => !READ_ONLY.has(name));
    const body = {
      ...Object.fromEntries(kept),
      externalId: input.externalId,
      firstName: input.firstName,
      lastName: input.lastName,
      recordTypeId: type,
      groups,
    };
    body.paths = [
      ...(stored?.paths ?? []).filter((one) => one.pathId !== path),
      { pathId: path, value: input.email, waitTime: 0 },
    ];
    body.contactAttributes = [
      ...(stored?.contactAttributes ?? []).filter((one) => !fields.includes(one.orgAttrId)),
      ...input.customFields.map((one, place) => ({
        orgAttrId: fields[place],
        name: one.name,
        values: one.values,
      })),
    ];
    const { id } = stored
      ? await this.http('PUT', `/contacts/${ORGANIZATION}/${stored.id}`, body)
      : await this.http('POST', `/contacts/${ORGANIZATION}`, body);
    return { outcome: stored ? 'UPDATED' : 'CREATED', id };
  }

  id(list, name) {
    return this.names.id(`everbridge ${list}`, name, async () => {
      const page = list === 'groups' ? '/pagination?pageNumber=1&pageSize=100' : '';
      const answer = await this.http('GET', `/${list}/${ORGANIZATION}${page}`);
      return answer.page.data.map((row) => [row.name ?? row.prompt, row.pathId ?? row.id]);
    });
  }
}

export class SendGrid {
  constructor(http, names) {
    this.http = http;
    this.names = names;
  }

  async upsert(input) {
    const [lists, fields] = await Promise.all([
      Promise.all(input.addGroupsName.map((name) => this.list(name))),
      Promise.all(input.customFields.map((one) => this.field(one.name))),
    ]);
    await this.http('PUT', '/v3/marketing/contacts', {
      list_ids: lists,
      contacts: [
        {
          email: input.email.toLowerCase(),
          first_name: input.firstName,
          last_name: input.lastName,
          custom_fields: Object.fromEntries(
            input.customFields.map((one, place) => [fields[place], one.values[0]]),
          ),
        },
      ],
    });
    return { outcome: 'ACCEPTED', id: null };
  }

  list(name) {
    return this.names.id('sendgrid lists', name, async () => {
      const answer = await this.http('GET', '/v3/marketing/lists?page_size=100');
      return answer.result.map((row) => [row.name, row.id]);
    });
  }

  field(name) {
    return this.names.id('sendgrid custom fields', name, async () => {
      const answer = await this.http('GET', '/v3/marketing/field_definitions');
      return answer.custom_fields.map((row) => [row.name, row.id]);
    });
  }
}
