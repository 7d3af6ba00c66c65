import { ecfr, testsOf, type Rule } from './rule.js';

const TEXT = ecfr(45, '164.312');
const PENDING =
  'Proposed rule of 2025-01-06 (90 FR 898): would end the difference between required and addressable, and name multi-factor authentication and encryption. Not final in mid-2026.';

const row = (given: Omit<Rule, 'status' | 'inForceFrom' | 'pending' | 'text'>): Rule => ({
  status: 'in force',
  inForceFrom: '2005-04-20',
  pending: PENDING,
  text: TEXT,
  ...given,
});

/** Technical safeguards of the Security Rule, 45 CFR 164.312. */
export const HIPAA_SECURITY: readonly Rule[] = [
  row({
    id: 'H1',
    citation: '45 CFR 164.312(a)(2)(i)',
    title: 'Unique user identification',
    binds: 'required',
    evidence:
      'The subject of the token stands in every record; a token that names a group is taken for nobody, and without a token nothing is answered.',
    remains: 'That the identity provider gives each person a subject of his own.',
    checks: [
      ...testsOf(
        'test/attack/identity/claims.test.ts',
        'become a principal that holds what they say and nothing else',
        'keep a group from passing as a person',
      ),
      ...testsOf('test/gateway/evidence.test.ts', 'has a lineage id and a receipt, and its record is durable before the first byte'),
    ],
  }),
  row({
    id: 'H2',
    citation: '45 CFR 164.312(a)(2)(ii)',
    title: 'Emergency access procedure',
    binds: 'required',
    evidence: 'Break-glass: one person, a limited time, a reason, an alert, events DCM 110127 and 110138, and a queue for review.',
    remains: 'A procedure for emergencies in which the mesh itself is away: without its database and log it answers nothing.',
    checks: testsOf(
      'test/attack/break-glass.test.ts',
      'allows it with a reason: an alert within a second, two audit events, and an end',
      'opens that one person to that one clinician, for every product, and nobody else',
      'ends on time, and its end is recorded at the next request of anybody',
      'holds every emergency access in the queue of the privacy officer, who closes each once, and after its end',
    ),
  }),
  row({
    id: 'H3',
    citation: '45 CFR 164.312(a)(2)(iii)',
    title: 'Automatic logoff',
    binds: 'addressable',
    evidence: 'A log-in session ends after a time without requests, in all processes, over restarts.',
    remains: 'The session of the user with the client and with the identity provider.',
    checks: testsOf(
      'test/attack/identity/idle.test.ts',
      'goes on while it is used, up to the last second, though activity is written every 30 s only',
      'that ended stays ended over a restart, and one that was used goes on',
      'that lives longer than idleness may last ends when idle too',
    ),
  }),
  row({
    id: 'H4',
    citation: '45 CFR 164.312(a)(2)(iv)',
    title: 'Encryption and decryption',
    binds: 'addressable',
    evidence:
      'What was asked is kept encrypted under the keys of the persons behind the answer; logs, records and lineage hold no value in the clear.',
    remains: 'Database and files themselves are not encrypted by the product: they have to lie on an encrypted volume.',
    checks: testsOf('test/gateway/evidence.test.ts', 'no name of a person is in a log line, a record or a lineage row'),
  }),
  row({
    id: 'H5',
    citation: '45 CFR 164.312(b)',
    title: 'Audit controls',
    binds: 'standard',
    evidence:
      'A record before the first byte of every answer and refusal, in a Merkle log with signed checkpoints, cosigned by a witness; a verifier that needs nothing of the product; events as FHIR resources and over syslog.',
    remains: 'A witness outside of the host, and somebody who looks at the log.',
    checks: [
      ...testsOf('test/evidence/verifier.test.ts', 'logs that nobody touched verify, with every receipt, through a change of key'),
      ...testsOf('test/gateway/evidence.test.ts', 'is recorded when it is a refusal too', 'verifies by the stand-alone verifier'),
      ...testsOf(
        'test/gateway/feeds.test.ts',
        'cosigns what is kept, which is deposited too; a log that was rolled back it refuses',
        'shows the officer who saw whom, page by page, newest first, each event once',
      ),
    ],
  }),
  row({
    id: 'H6',
    citation: '45 CFR 164.312(c)(2)',
    title: 'Mechanism to authenticate electronic protected health information',
    binds: 'addressable',
    evidence:
      'Digests of files by their parts, of packed rows by their block; a reader proves what it serves, and a scan proves all that is stored.',
    remains: null,
    checks: [
      ...testsOf(
        'test/gateway/integrity.test.ts',
        'with one flipped bit anywhere are refused whole by every reader: 100 % found, nothing served',
        'a scan of all that is stored names what is damaged, and nothing where nothing is',
      ),
      ...testsOf(
        'test/store/integrity.test.ts',
        'a changed byte is found by every range that needs its chunk, before a byte of that chunk leaves; other ranges are served',
      ),
    ],
  }),
  row({
    id: 'H7',
    citation: '45 CFR 164.312(d)',
    title: 'Person or entity authentication',
    binds: 'standard',
    evidence: 'Tokens are verified by issuer, audience, time, algorithm and key; grants may want several factors.',
    remains: 'The identity provider itself.',
    checks: [
      ...testsOf(
        'test/attack/identity/issuers.test.ts',
        'ATK-80 an RSA public key is no HMAC secret, in whatever form',
        'of another trusted issuer verifies nothing',
        'says by its acr, or by mfa, that several factors were used',
      ),
      ...testsOf('test/gateway/narrowing.test.ts', 'a grant that wants several factors is dead without them'),
    ],
  }),
  row({
    id: 'H8',
    citation: '45 CFR 164.312(e)(2)(i) and (ii)',
    title: 'Integrity and encryption in transmission',
    binds: 'addressable',
    evidence: 'Beyond this machine the gateway starts only with TLS in front of it; what carries evidence outside speaks TLS.',
    remains: 'What ends TLS in front of the gateway, and its certificates.',
    checks: [
      ...testsOf('test/attack/identity/settings.test.ts', 'is another address only with an issuer, and with TLS in front of it'),
      ...testsOf(
        'test/gateway/feeds.test.ts',
        'is told over TLS, or on this machine',
        'takes the events of every run, and only from a server that is trusted',
      ),
    ],
  }),
];
