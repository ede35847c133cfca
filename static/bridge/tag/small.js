// ---- small things that every part has of its own -----------------------------------------------------------------

const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });
const within = (promise, milliseconds) => Promise.race([promise, pause(milliseconds)]);
const find = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const attribute = (selector, name) => { const found = find(selector); return found && found.getAttribute(name); };
const matched = (pattern, text) => (pattern.exec(text) || [])[1];
// A number, or text that a machine wrote; text written for people is never read.
function number(value) {
  if (value && typeof value === 'object') { value = value.incl_tax; }
  if (/^-?\d+(\.\d+)?$/.test(value)) { value = Number(value); }
  return typeof value === 'number' ? value : NaN;
}
const round = (value) => Math.round(value * 1e4) / 1e4;
const sum = (lines, place) => round(lines.reduce((total, line) => total + line[place], 0));
const held = (cart, id) => sum(cart.items.map((item) => [String(item.product_id) === id ? number(item.qty) : 0]), 0);
const productsIn = (cart) => [...new Set(cart.items.map((item) => String(item.product_id)))];
