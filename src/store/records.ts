import type { DataSource } from 'typeorm';
import { CodedError, entityOf, type RecordStore } from '../kernel/index.js';

/** Small documents through TypeORM's query builder on the writer connection: names come from the declarations, values are bound. */
export function recordStore(source: DataSource): RecordStore {
  return {
    async insert(of, row) {
      const { table } = entityOf(of);
      await source.createQueryBuilder().insert().into(table, Object.keys(row)).values(row).orIgnore().execute();
    },
    async find(of, where, order) {
      const { table } = entityOf(of);
      const columns = Object.keys(where);
      for (const name of [...columns, ...(order ? [order.column] : [])]) {
        if (!/^[a-z_]+$/.test(name)) throw new CodedError('INTERNAL', 'A record was asked for by an unknown column.');
      }
      const builder = source.createQueryBuilder().select('t.*').from(table, 't');
      for (const name of columns) builder.andWhere(`t.${name} = :${name}`, { [name]: where[name] });
      if (order) builder.orderBy(`t.${order.column}`, order.descending ? 'DESC' : 'ASC');
      return builder.getRawMany<Record<string, unknown>>();
    },
  };
}
