/** Small faults in a source file, one at a time, as somebody could make them. */
import ts from 'typescript';

export interface Mutant {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly operator: string;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

const SWAPS: Readonly<Partial<Record<ts.SyntaxKind, string>>> = {
  [ts.SyntaxKind.AmpersandAmpersandToken]: '||',
  [ts.SyntaxKind.BarBarToken]: '&&',
  [ts.SyntaxKind.EqualsEqualsEqualsToken]: '!==',
  [ts.SyntaxKind.ExclamationEqualsEqualsToken]: '===',
  [ts.SyntaxKind.LessThanToken]: '<=',
  [ts.SyntaxKind.LessThanEqualsToken]: '<',
  [ts.SyntaxKind.GreaterThanToken]: '>=',
  [ts.SyntaxKind.GreaterThanEqualsToken]: '>',
  [ts.SyntaxKind.PlusToken]: '-',
  [ts.SyntaxKind.MinusToken]: '+',
};

/** Every mutant of a source text. Types and imports are left alone, since they are gone when the code runs. */
export function mutantsOf(file: string, text: string): Mutant[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const found: Mutant[] = [];
  const add = (node: ts.Node, operator: string, replacement: string, from = node.getStart(source), to = node.getEnd()): void => {
    const line = source.getLineAndCharacterOfPosition(from).line + 1;
    found.push({ file, line, operator, start: from, end: to, replacement });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    mutate(node, source, add);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

type Add = (node: ts.Node, operator: string, replacement: string, from?: number, to?: number) => void;

function mutate(node: ts.Node, source: ts.SourceFile, add: Add): void {
  const text = (one: ts.Node): string => one.getText(source);
  if (ts.isBinaryExpression(node)) {
    const swapped = SWAPS[node.operatorToken.kind];
    // Without the `+` that joins texts of a statement nothing runs at all.
    const joins = node.operatorToken.kind === ts.SyntaxKind.PlusToken && /['`]/.test(text(node));
    if (swapped !== undefined && !joins) add(node.operatorToken, `${text(node.operatorToken)} to ${swapped}`, swapped);
    if (node.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken) add(node, '?? to its right', `(${text(node.right)})`);
    if (node.operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandToken) add(node, 'drop a condition', `(${text(node.left)})`);
  } else if (node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword) {
    const swapped = node.kind === ts.SyntaxKind.TrueKeyword ? 'false' : 'true';
    add(node, `${text(node)} to ${swapped}`, swapped);
  } else if (ts.isPropertyAssignment(node) && text(node.name) === 'op' && ts.isStringLiteral(node.initializer)) {
    if (['true', 'false'].includes(node.initializer.text))
      add(node.initializer, 'constant predicate', node.initializer.text === 'true' ? `'false'` : `'true'`);
  } else if (ts.isConditionalExpression(node)) {
    add(node, 'swap branches', `${text(node.condition)} ? ${text(node.whenFalse)} : ${text(node.whenTrue)}`);
  } else if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    add(node, 'drop !', text(node.operand));
  } else if (ts.isIfStatement(node)) {
    add(node.expression, 'if never', 'false');
  } else if (ts.isCaseClause(node)) {
    add(node, 'drop a case', '');
  } else if (ts.isArrayLiteralExpression(node) && node.elements.length > 0) {
    add(node, 'empty list', '[]');
  } else if (ts.isNumericLiteral(node)) {
    add(node, 'one more', String(Number(node.text) + 1));
  } else if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
    mutateCall(node, node.expression, text, add);
  }
}

const CALLS: Readonly<Record<string, string>> = { some: 'every', every: 'some', min: 'max', max: 'min' };

function mutateCall(node: ts.CallExpression, callee: ts.PropertyAccessExpression, text: (one: ts.Node) => string, add: Add): void {
  const { name, expression } = callee;
  const swapped = CALLS[name.text];
  if (swapped !== undefined) add(name, `${name.text} to ${swapped}`, swapped);
  if (name.text === 'filter' || name.text === 'sort') add(node, `remove .${name.text}`, text(expression));
  if (name.text === 'reduce') {
    const [, initial] = node.arguments;
    add(node, 'remove .reduce', initial ? `(${text(initial)})` : `(${text(expression)})[0]`);
  }
  if (['includes', 'has', 'hasOwn', 'test'].includes(name.text)) {
    add(node, `${name.text} to true`, 'true');
    add(node, `${name.text} to false`, 'false');
  }
}

export const applied = (text: string, { start, end, replacement }: Mutant): string => text.slice(0, start) + replacement + text.slice(end);
