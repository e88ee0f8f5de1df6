/** The page's elements: those it has, by id, and those it makes. Text stays text. */
export const element = (id) => document.getElementById(id)

export function make(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

/** Children of mixed kinds, without what is empty. */
export function fill(parent, ...children) {
  parent.replaceChildren(...children.flat().filter((child) => child !== null))
}
