// Writes the types of the API for the page's modules, from the description of the API: crates/wharf-server/web/types.d.ts.
// With --check it only says whether the file is up to date.

import { readFile, writeFile } from 'node:fs/promises';

const description = JSON.parse(await readFile(new URL('../docs/protocol/openapi.json', import.meta.url), 'utf8'));
const target = new URL('../crates/wharf-server/web/types.d.ts', import.meta.url);

/** @param {any} schema @returns {string} */
function type(schema) {
    if (!schema || schema === true) return 'any';
    if (schema.$ref) return schema.$ref.split('/').pop();
    if (schema.const !== undefined) return JSON.stringify(schema.const);
    if (schema.enum) return schema.enum.map((/** @type {any} */ value) => JSON.stringify(value)).join(' | ');
    for (const word of ['oneOf', 'anyOf']) if (schema[word]) return schema[word].map(type).map((/** @type {string} */ text) => `(${text})`).join(' | ');
    if (schema.allOf) return schema.allOf.map(type).map((/** @type {string} */ text) => `(${text})`).join(' & ');
    const types = Array.isArray(schema.type) ? schema.type : [schema.type];
    return types.map((/** @type {string | undefined} */ name) => single(name, schema)).join(' | ');
}

/** @param {string | undefined} name @param {any} schema @returns {string} */
function single(name, schema) {
    switch (name) {
        case 'string': return 'string';
        case 'integer':
        case 'number': return 'number';
        case 'boolean': return 'boolean';
        case 'null': return 'null';
        case 'array':
            return schema.prefixItems ? `[${schema.prefixItems.map(type).join(', ')}]` : `(${type(schema.items)})[]`;
        case 'object': return object(schema);
        default: return schema.properties ? object(schema) : 'any';
    }
}

/** @param {any} schema */
function object(schema) {
    const required = new Set(schema.required ?? []);
    const fields = Object.entries(schema.properties ?? {}).map(([key, value]) => {
        // A missing field has no value; the server never writes a null in its place.
        const of = type(value).replace(/ \| \(?null\)?$/, '').replace(/^\(null\) \| /, '');
        return `${/^\w+$/.test(key) ? key : JSON.stringify(key)}${required.has(key) ? '' : '?'}: ${of};`;
    });
    if (schema.additionalProperties && typeof schema.additionalProperties === 'object') fields.push(`[name: string]: ${type(schema.additionalProperties)};`);
    return `{ ${fields.join(' ')} }`;
}

let text = '// The bodies of the API, made from docs/protocol/openapi.json by `node e2e/types.mjs`. Do not edit.\n\n';
for (const [name, schema] of Object.entries(description.components.schemas)) text += `export type ${name} = ${type(schema)};\n`;

if (process.argv.includes('--check')) {
    const there = await readFile(target, 'utf8').catch(() => '');
    if (there !== text) {
        console.error('crates/wharf-server/web/types.d.ts is out of date: run node e2e/types.mjs');
        process.exit(1);
    }
} else {
    await writeFile(target, text);
}
