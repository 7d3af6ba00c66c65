import { principalOf } from '../../src/cli/who.js';
import { OPERATOR } from '../../src/cli/wire.js';
import { ask } from '../../src/gateway/index.js';
import { erasePatient } from '../../src/gateway/erasure.js';
import type { TestMesh } from '../support/mesh.js';

const PROPOSE = 'mutation P($document: JSON!) { proposePolicy(document: $document, reason: "a reason that is long enough") { version } }';
const DECIDE = 'mutation D($version: Int!) { decidePolicy(version: $version, approve: true, reason: "looked at it closely") { version } }';

/** What happens to a mesh between questions: rows and consents change or go, policy changes, now and then a person is erased. */
export async function churn(mesh: TestMesh, seed: number, round: number): Promise<void> {
  const { owner } = mesh.pools;
  const third = `(ordinal + ${seed + round}) % 3 = 0`;
  await owner.query(`update patient set city = city || ' ${round}', family_name = reverse(family_name) where ${third}`);
  await owner.query(
    `update observation set value = value + 1 where patient_id in (select patient_id from patient where ${third}) and value is not null`,
  );
  await owner.query(`delete from condition where patient_id in (select patient_id from patient where ordinal % 17 = ${round})`);
  await owner.query(
    `update consent_effect set valid_to = now() - interval '1 year' where patient_id in (select patient_id from patient where ordinal % 13 = ${round})`,
  );
  if (round === 1) {
    const proposed = await ask(mesh.mesh, principalOf('steward'), {
      query: PROPOSE,
      variables: { document: { suspended: ['patients.analyst.research'] } },
    });
    const version = (proposed.data as { proposePolicy: { version: number } }).proposePolicy.version;
    await ask(mesh.mesh, principalOf('officer'), { query: DECIDE, variables: { version } });
  }
  if (round % 2 === 1) {
    const { rows } = await owner.query<{ id: string }>('select patient_id as id from patient order by ordinal desc limit 1');
    await erasePatient(mesh.mesh, { patientId: rows[0]?.id ?? '', reason: 'asked for by the person', by: OPERATOR });
  }
}
