import { readFileSync } from 'node:fs'

/** The one code block in the README's section on the SDK that has this text in it. */
export function sdkExample(text: string): string {
  return example('The SDK', text)
}

/** The one in the section on `<belfry-inbox>`. */
export function elementExample(text: string): string {
  return example('On a page of your own', text)
}

function example(title: string, text: string): string {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const section = new RegExp(`### ${title}\\n(.*?)\\n##+ `, 's').exec(readme)?.[1] ?? ''
  const blocks = [...section.matchAll(/```\w+\n(.*?)```/gs)].map(([, code = '']) => code)
  const [found, ...others] = blocks.filter((code) => code.includes(text))
  if (found === undefined || others.length > 0)
    throw new Error(`${others.length + (found ? 1 : 0)} of the README’s examples have "${text}"`)
  return found
}
