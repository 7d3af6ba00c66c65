import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fitFormat } from '../../../../src/domains/wearables/formats/fit.js';
import { appleHealthFormat } from '../../../../src/domains/wearables/formats/apple-health.js';
import { omhFormat } from '../../../../src/domains/wearables/formats/omh.js';
import { packDay, unpackDay } from '../../../../src/domains/wearables/formats/chunk-codec.js';
import { DATA, NOW, chunks } from './support.js';
import type { Format } from '../../../../src/kernel/format.js';
import type { WearableBatch } from '../../../../src/domains/wearables/formats/sample.js';
async function run(f: Format<WearableBatch>, b: Uint8Array) { let n = 0; for await (const p of f.parse(chunks(b), { name: 'x', now: NOW })) if (p.ok) n += p.value.t.length; return n; }
test('measure', async () => {
  const out: unknown[] = [];
  const b = readFileSync(path.join(DATA, 'fit/garmin-edge-500-activity.fit'));
  for (const _ of [0, 1]) { const s = performance.now(); let n = 0; for (let i = 0; i < 20; i++) n += await run(fitFormat, b); const ms = performance.now() - s; out.push(['fit rec/s', 20 * 10686 / ms * 1000, 'samples/s', n / ms * 1000]); }
  const rec = Buffer.from('<Record type="HKQuantityTypeIdentifierHeartRate" sourceName="Watch" sourceVersion="10.2" device="&lt;&lt;HKDevice: 0x3012772a0&gt;, name:Apple Watch, manufacturer:Apple Inc., model:Watch, hardware:Watch6,7, software:10.2&gt;" unit="count/min" creationDate="2024-01-01 01:01:42 +0200" startDate="2024-01-01 01:01:36 +0200" endDate="2024-01-01 01:01:36 +0200" value="74"/>\n');
  const apple = Buffer.concat([Buffer.from('<HealthData>'), ...Array.from({ length: 60000 }, () => rec), Buffer.from('</HealthData>')]);
  let s = performance.now(); let n = await run(appleHealthFormat, apple); let ms = performance.now() - s; out.push(['apple MB/s', apple.length / ms / 1000, n]);
  const p = Buffer.from(JSON.stringify({ header: { uuid: 'u', schema_id: { namespace: 'omh', name: 'heart-rate', version: '2.0' }, source_creation_date_time: '2025-01-01T00:00:00Z', user_id: 'p' }, body: { heart_rate: { value: 60, unit: 'beats/min' }, effective_time_frame: { date_time: '2025-01-01T00:00:00Z' } } }) + '\n');
  const omh = Buffer.concat(Array.from({ length: 50000 }, () => p));
  s = performance.now(); n = await run(omhFormat, omh); ms = performance.now() - s; out.push(['omh points/s', n / ms * 1000, 'MB/s', omh.length / ms / 1000]);
  let st = 1; const rnd = () => (st = (Math.imul(st, 1103515245) + 12345) >>> 0) / 2 ** 32;
  const days = Array.from({ length: 1000 }, () => { let r = 62; return { t: Float64Array.from({ length: 1440 }, (_, i) => Date.UTC(2025, 0, 1) + i * 60000), v: Float64Array.from({ length: 1440 }, () => { r = Math.max(45, Math.min(170, r + Math.floor(rnd() * 3) - 1)); return r; }) }; });
  s = performance.now(); const packed = days.map((d) => packDay(d.t, d.v)); ms = performance.now() - s;
  out.push(['pack samples/s', 1440 * 1000 / ms * 1000, 'B/sample', packed.reduce((a, q) => a + q.bytes.length, 0) / 1440000]);
  s = performance.now(); for (const q of packed) unpackDay(q.enc, q.t0, q.stepMs, q.n, q.bytes); ms = performance.now() - s; out.push(['unpack samples/s', 1440 * 1000 / ms * 1000]);
  const irr = days.slice(0, 200).map((d) => packDay(d.t.map((t) => t + Math.floor(rnd() * 900)), d.v.map((v) => v + Math.floor(rnd() * 100) / 100)));
  out.push(['irregular 2-decimals B/sample', irr.reduce((a, q) => a + q.bytes.length, 0) / 288000]);
  const dbl = days.slice(0, 200).map((d) => packDay(d.t, d.v.map((v) => v + rnd())));
  out.push(['random doubles B/sample', dbl.reduce((a, q) => a + q.bytes.length, 0) / 288000]);
  process.stderr.write(out.map((o) => JSON.stringify(o)).join('\n') + '\n');
}, 60000);
