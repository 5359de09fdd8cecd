/**
 * From acorn's tree to ours. Everything that the language does not have is refused here, each with what to write instead; what passes is
 * one of the kinds in tree.ts, so nothing behind this file ever meets an unknown construct.
 */
import type * as acorn from 'acorn';
import { forbiddenKeys } from '../strategy/json.ts';
import { binaryOperators, isListMethod, methodRefusal, refusedNodes, refusedOperators } from './refusals.ts';
import { invalid, type Source, siteOf } from './source.ts';
import type { Arrow, BinaryOperator, LogicalOperator, Property, Spread, Tree } from './tree.ts';

/** `shift` leads from acorn's offsets to the source's. Throws INVALID_EXPRESSION. */
export const convert = (node: acorn.Expression, source: Source, shift: number): Tree =>
  new Converter(source, shift).convert(node);

class Converter {
  readonly #source: Source;
  /** From offsets in the parsed text to offsets in the source. */
  readonly #shift: number;

  constructor(source: Source, shift: number) {
    this.#source = source;
    this.#shift = shift;
  }

  #range(node: acorn.Node): { start: number; end: number } {
    return { start: node.start + this.#shift, end: Math.min(node.end + this.#shift, this.#source.text.length) };
  }

  #refuse(node: acorn.Node, message: string, fix?: string): never {
    const { start, end } = this.#range(node);
    throw invalid(siteOf(this.#source, start, end), message, fix);
  }

  convert(node: acorn.Expression | acorn.Super | acorn.PrivateIdentifier): Tree {
    const range = this.#range(node);
    switch (node.type) {
      case 'Literal':
        return this.#literal(node);
      case 'Identifier':
        return { kind: 'name', name: node.name, ...range };
      case 'ParenthesizedExpression':
        return this.convert(node.expression);
      case 'ChainExpression':
        return this.convert(node.expression);
      case 'TemplateLiteral':
        return this.#template(node);
      case 'ArrayExpression':
        return { kind: 'list', items: node.elements.map((item) => this.#item(item, node)), ...range };
      case 'ObjectExpression':
        return { kind: 'object', properties: node.properties.map((property) => this.#property(property)), ...range };
      case 'MemberExpression':
        return this.#member(node);
      case 'UnaryExpression':
        return this.#unary(node);
      case 'BinaryExpression':
        return this.#binary(node);
      case 'LogicalExpression':
        return this.#logical(node.operator, node);
      case 'ConditionalExpression':
        return {
          kind: 'conditional',
          test: this.convert(node.test),
          consequent: this.convert(node.consequent),
          alternate: this.convert(node.alternate),
          ...range,
        };
      case 'CallExpression':
        return this.#call(node);
      default: {
        const refusal = refusedNodes[node.type];
        return this.#refuse(node, refusal?.message ?? `expressions have no ${node.type}`, refusal?.fix);
      }
    }
  }

  #literal(node: acorn.Literal): Tree {
    const { value } = node;
    const raw = node.raw ?? '';
    if (node.regex !== undefined)
      this.#refuse(node, 'regular expressions are not part of the language', 'Use `includes`, `startsWith`, `split`.');
    if (node.bigint !== undefined || typeof value === 'bigint')
      this.#refuse(node, 'big integers are not part of the language', 'Write a number up to 9007199254740991.');
    if (typeof value === 'number') {
      if (/^0[0-9_]/.test(raw))
        this.#refuse(node, 'a number that starts with 0 is octal in JavaScript', `Write ${raw.replace(/^0+(?=\d)/, '')}.`);
      if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value) && !/[.e]/i.test(raw))) {
        this.#refuse(
          node,
          'this number is too large to be exact',
          'Numbers are exact up to 9007199254740991; keep larger ones as text.',
        );
      }
    }
    if (value === undefined || value instanceof RegExp) return this.#refuse(node, 'this literal is not part of the language');
    return { kind: 'literal', value, ...this.#range(node) };
  }

  #template(node: acorn.TemplateLiteral): Tree {
    const texts = node.quasis.map((quasi) => quasi.value.cooked ?? '');
    return { kind: 'template', texts, parts: node.expressions.map((part) => this.convert(part)), ...this.#range(node) };
  }

  #item(node: acorn.Expression | acorn.SpreadElement | null, list: acorn.ArrayExpression): Tree | Spread {
    if (node === null) return this.#refuse(list, 'a list with a hole', 'Write `null` where nothing is meant.');
    return node.type === 'SpreadElement' ? this.#spread(node) : this.convert(node);
  }

  #spread(node: acorn.SpreadElement): Spread {
    return { kind: 'spread', value: this.convert(node.argument), ...this.#range(node) };
  }

  #property(node: acorn.Property | acorn.SpreadElement): Property | Spread {
    if (node.type === 'SpreadElement') return this.#spread(node);
    if (node.method || node.kind !== 'init') this.#refuse(node, 'an object holds data, not functions', 'Write `name: value`.');
    const range = this.#range(node);
    const value = this.convert(node.value);
    if (node.computed) return { kind: 'property', name: null, computed: this.convert(node.key), value, ...range };
    const name = node.key.type === 'Identifier' ? node.key.name : node.key.type === 'Literal' ? String(node.key.value) : null;
    if (name === null) return this.#refuse(node.key, 'this cannot be a key');
    if (forbiddenKeys.has(name)) this.#refuse(node.key, `the key \`${name}\` is not allowed`, 'Choose another key.');
    return { kind: 'property', name, computed: null, value, ...range };
  }

  #member(node: acorn.MemberExpression): Tree {
    const object = this.convert(node.object);
    const range = this.#range(node);
    const { property, optional } = node;
    if (!node.computed) {
      if (property.type !== 'Identifier') return this.#refuse(node, 'private names are not part of the language');
      return { kind: 'member', object, name: property.name, optional, ...range };
    }
    const index = this.convert(property);
    return { kind: 'index', object, index, optional, ...range };
  }

  #unary(node: acorn.UnaryExpression): Tree {
    const range = this.#range(node);
    if (node.operator === '!') return { kind: 'not', value: this.convert(node.argument), ...range };
    if (node.operator !== '-') {
      const refusal = refusedOperators[node.operator];
      this.#refuse(node, refusal?.message ?? `\`${node.operator}\` is not part of the language`, refusal?.fix);
    }
    const value = this.convert(node.argument);
    if (value.kind === 'literal' && typeof value.value === 'number') return { kind: 'literal', value: 0 - value.value, ...range };
    return { kind: 'negate', value, ...range };
  }

  #binary(node: acorn.BinaryExpression): Tree {
    const { operator } = node;
    if (!isBinary(operator)) {
      const refusal = refusedOperators[operator];
      return this.#refuse(node, refusal?.message ?? `\`${operator}\` is not part of the language`, refusal?.fix);
    }
    return { kind: 'binary', operator, left: this.convert(node.left), right: this.convert(node.right), ...this.#range(node) };
  }

  #logical(operator: LogicalOperator, node: acorn.LogicalExpression): Tree {
    return { kind: 'logical', operator, left: this.convert(node.left), right: this.convert(node.right), ...this.#range(node) };
  }

  #call(node: acorn.CallExpression): Tree {
    const { callee } = node;
    if (callee.type === 'Identifier') {
      if (node.optional) this.#refuse(node, 'a function always exists', `Write \`${callee.name}(…)\`.`);
      if (node.arguments.some(({ type }) => type === 'ArrowFunctionExpression') && isListMethod(callee.name)) {
        this.#refuse(node, `\`${callee.name}\` is a method of lists`, `Write \`list.${callee.name}(item => …)\`.`);
      }
      return { kind: 'call', name: callee.name, parameters: this.#parameters(node.arguments), ...this.#range(node) };
    }
    if (callee.type !== 'MemberExpression' || callee.computed || callee.property.type !== 'Identifier' || node.optional) {
      return this.#refuse(
        node,
        'only listed functions and list methods can be called, by their names',
        'Write `name(…)` or `list.map(item => …)`.',
      );
    }
    return this.#method(node, callee, callee.property.name);
  }

  #method(node: acorn.CallExpression, callee: acorn.MemberExpression, name: string): Tree {
    const [first, ...others] = node.arguments;
    const object = this.convert(callee.object);
    if (first?.type !== 'ArrowFunctionExpression') {
      const refusal = methodRefusal(
        this.#text(callee.object),
        name,
        node.arguments.map((argument) => this.#text(argument)),
      );
      return this.#refuse(node, refusal.message, refusal.fix);
    }
    return {
      kind: 'method',
      object,
      name,
      optional: callee.optional || hasOptional(object),
      arrow: this.#arrow(first),
      parameters: this.#parameters(others),
      ...this.#range(node),
    };
  }

  #text(node: acorn.Node): string {
    const { start, end } = this.#range(node);
    return siteOf(this.#source, start, end).text;
  }

  #parameters(nodes: readonly (acorn.Expression | acorn.SpreadElement)[]): readonly Tree[] {
    return nodes.map((node) => {
      if (node.type === 'SpreadElement')
        return this.#refuse(node, 'arguments cannot be spread', 'Pass the list itself: `max(list)`, `min(list)`.');
      return this.convert(node);
    });
  }

  #arrow(node: acorn.ArrowFunctionExpression): Arrow {
    if (node.async) this.#refuse(node, 'expressions do not wait', 'Remove `async`.');
    if (node.body.type === 'BlockStatement')
      return this.#refuse(
        node,
        'an arrow gives one expression',
        'Write `x => …` without braces, or `x => ({ … })` for an object.',
      );
    const parameters = node.params.map((parameter) => {
      if (parameter.type !== 'Identifier')
        return this.#refuse(parameter, 'a parameter is one name', 'Write `item => item.name`.');
      return parameter.name;
    });
    return { kind: 'arrow', parameters, body: this.convert(node.body), ...this.#range(node) };
  }
}

const isBinary = (operator: string): operator is BinaryOperator => binaryOperators.has(operator);

const hasOptional = (tree: Tree): boolean =>
  tree.kind === 'member' || tree.kind === 'index' || tree.kind === 'method' ? tree.optional || hasOptional(tree.object) : false;
