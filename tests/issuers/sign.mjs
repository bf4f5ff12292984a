// Tokens by the libraries jose and jsonwebtoken, and keys by jose. Reads one JSON task on standard input, prints its
// result as JSON:
//   {"task": "sign", "library", "algorithm", "key", "header", "claims"}   a token; key is PEM or a secret's text
//   {"task": "keypair", "bits"}                                           {"pem", "jwk", "thumbprint"}
import { readFileSync } from 'node:fs';
import { createSecretKey } from 'node:crypto';
import * as jose from 'jose';
import jsonwebtoken from 'jsonwebtoken';

async function signByJose({ algorithm, key, header, claims }) {
  const signing = algorithm.startsWith('HS')
    ? createSecretKey(Buffer.from(key))
    : await jose.importPKCS8(key, algorithm);
  return new jose.SignJWT(claims).setProtectedHeader({ alg: algorithm, ...header }).sign(signing);
}

function signByJsonwebtoken({ algorithm, key, header, claims }) {
  const { kid, ...rest } = header;
  return jsonwebtoken.sign(claims, key, { algorithm, header: rest, ...(kid === undefined ? {} : { keyid: kid }) });
}

const libraries = { jose: signByJose, jsonwebtoken: signByJsonwebtoken };

async function makePair({ bits }) {
  const pair = await jose.generateKeyPair('RS256', { modulusLength: bits, extractable: true });
  const jwk = await jose.exportJWK(pair.publicKey);
  return {
    pem: await jose.exportPKCS8(pair.privateKey),
    jwk,
    thumbprint: await jose.calculateJwkThumbprint(jwk),
  };
}

const tasks = { sign: (task) => libraries[task.library](task), keypair: makePair };

const task = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(await tasks[task.task](task)));
