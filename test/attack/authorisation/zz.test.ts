import { parse, subscribe, graphql } from 'graphql';
import { guarded as g } from '../../governance/shield-support.js';
it('x', async () => {
  const SDL = 'type Query { a: String e: Event } type Event { id: ID name: String } type Subscription { feed: Event }';
  const { guarded, context, schema, policyClass } = g(SDL, { 'Query.e': () => ({ id: '1', name: 'n' }), 'subscribe:Subscription.feed': async function* () { yield { feed: { id: '1', name: 'one' } }; } }, ['Event.name']);
  console.log(JSON.stringify(await graphql({ schema: guarded, source: '{ e { id name } }', contextValue: context() })));
  const s: any = await subscribe({ schema: guarded, document: parse('subscription { feed { id name } }'), contextValue: context() });
  console.log(JSON.stringify(await s.next()));
  console.log(String((guarded.getType('Event') as any).getFields().name.resolve), String((guarded.getSubscriptionType() as any).getFields().feed.resolve));
  console.log((guarded.getSubscriptionType() as any).getFields().feed.type === guarded.getType('Event'), (guarded.getQueryType() as any).getFields().e.type === guarded.getType('Event'));
});
