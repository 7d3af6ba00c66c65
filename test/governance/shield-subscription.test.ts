/** Subscriptions under graphql-shield 7.6.5 as it comes, and under the guard that is generated here. */
import { parse, subscribe, type ExecutionResult, type GraphQLSchema } from 'graphql';
import { deny, rule } from 'graphql-shield';
import { guard } from '../../src/governance/index.js';
import { codesOf, guarded as ours, readerOf, schemaOf, shielded } from './shield-support.js';

describe('a subscription', () => {
  const FEED = 'type Query { a: String } type Subscription { feed: String }';
  /** A source that counts how often it was opened and closed. */
  function counting(values: readonly unknown[] = ['one', 'two', 'three']) {
    const seen = { opened: 0, closed: 0 };
    const open = () => {
      seen.opened += 1;
      let at = 0;
      return {
        [Symbol.asyncIterator]() {
          return this;
        },
        next: () => Promise.resolve(at < values.length ? { done: false, value: { feed: values[at++] } } : { done: true, value: undefined }),
        return: () => ((seen.closed += 1), Promise.resolve({ done: true, value: undefined })),
      };
    };
    return { seen, open };
  }
  const start = async (schema: GraphQLSchema, contextValue: unknown) =>
    subscribe({ schema, document: parse('subscription { feed }'), contextValue });
  const isStream = (result: unknown): result is AsyncGenerator<ExecutionResult> =>
    typeof result === 'object' && result !== null && Symbol.asyncIterator in result;
  const withResolve = (open: unknown) => ({
    'subscribe:Subscription.feed': open,
    'Subscription.feed': (event: { feed: string }) => event.feed,
  });

  it('with a resolver opens its source in the library though it is denied', async () => {
    const { seen, open } = counting();
    const result = await start(shielded(schemaOf(FEED, withResolve(open)), {}, { fallbackRule: deny }), {});
    expect([seen.opened, isStream(result)]).toEqual([1, true]);
  });

  it('without a resolver is asked once in the library, and goes on when the right is gone', async () => {
    const { open } = counting();
    const context = { may: true };
    const may = rule('may')((_p, _a, given: { may: boolean }) => given.may);
    const stream = await start(shielded(schemaOf(FEED, { 'subscribe:Subscription.feed': open }), { Subscription: { feed: may } }), context);
    if (!isStream(stream)) throw new Error('the library opened no stream');
    context.may = false;
    expect((await stream.next()).value).toEqual({ data: { feed: 'one' } });
  });

  it.each([
    ['with a resolver', withResolve],
    ['without one', (open: unknown) => ({ 'subscribe:Subscription.feed': open })],
  ])('%s opens no source here for who may not, and serves who may', async (_, work) => {
    const { seen, open } = counting();
    const { schema, policyClass, guarded, context } = ours(FEED, work(open), ['Subscription.feed']);
    const refused = await start(guarded, context());
    expect([seen.opened, isStream(refused), codesOf(refused as ExecutionResult)]).toEqual([0, false, ['FORBIDDEN']]);
    const reader = readerOf(schema, ['pseudonym', 'pii.direct']);
    const foreign = await start(guard(schema, reader), { policyClass });
    expect([seen.opened, isStream(foreign)]).toEqual([0, false]);
    expect([isStream(await start(guard(schema, reader), undefined)), seen.opened]).toEqual([false, 0]);
    const stream = await start(guard(schema, reader), { policyClass: reader });
    if (!isStream(stream)) throw new Error('no stream');
    const told = [];
    for await (const event of stream) told.push(event.data?.['feed']);
    expect([told, seen.opened]).toEqual([['one', 'two', 'three'], 1]);
  });

  it('ends here with the first event after the right is gone, and its source is closed', async () => {
    const { seen, open } = counting();
    const { schema, policyClass } = ours(FEED, withResolve(open), ['Subscription.feed']);
    const reader = readerOf(schema, ['pseudonym', 'pii.direct']);
    const context = { policyClass: reader };
    const stream = await start(guard(schema, reader), context);
    if (!isStream(stream)) throw new Error('no stream');
    expect((await stream.next()).value).toEqual({ data: { feed: 'one' } });
    context.policyClass = policyClass;
    await expect(stream.next()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(seen).toEqual({ opened: 1, closed: 1 });
  });

  it('that is left before its first event closes its source here', async () => {
    const { seen, open } = counting();
    const { guarded, context } = ours(FEED, withResolve(open), []);
    const stream = await start(guarded, context());
    if (!isStream(stream)) throw new Error('no stream');
    await stream.return(undefined);
    expect(seen).toEqual({ opened: 1, closed: 1 });
  });
});
