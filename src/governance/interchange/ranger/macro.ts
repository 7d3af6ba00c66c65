import { CodedError } from '../../../kernel/index.js';
import type { RangerRequest, ResourceLevel } from './model.js';

type Caller = Pick<RangerRequest, 'user' | 'owner' | 'attributes'>;

const EXPRESSION = /\$\{\{(.*?)\}\}/g;

/** Puts `${{USER.attribute}}` and `${{USER._name}}` into a text. Any other expression is a script and is refused (POLICY_INVALID). */
export function withAttributes(text: string, { user, attributes }: Caller): string {
  return text.replace(EXPRESSION, (_, expression: string) => {
    const name = /^\s*USER\.(\w+)\s*$/.exec(expression)?.[1];
    if (name === undefined) throw new CodedError('POLICY_INVALID', 'A policy asks for an expression that is not in the closed language.');
    if (name === '_name') return user ?? '';
    return (Object.hasOwn(attributes, name) ? attributes[name] : null) ?? '';
  });
}

/** A value of a resource with the caller and the owner put in; a token that is not known stays, and so matches nothing by chance. */
export function expand(value: string, level: ResourceLevel, caller: Caller): string {
  const stated = level.expressions && value.includes('${{') ? withAttributes(value, caller) : value;
  if (!level.tokens || !stated.includes('{')) return stated;
  return stated.replace(/\{(USER|OWNER)\}/g, (token, name: string) => (name === 'USER' ? caller.user : caller.owner) ?? token);
}
