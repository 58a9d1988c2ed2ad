// Lets a script of ours import the packages that tools/peers keeps outside the tree:
//   IPNSCAST_PEER=FOLDER node --import from_cache.mjs SCRIPT ...
// Only the scripts themselves are redirected; packages find their own dependencies.
import { register } from 'node:module';
import { pathToFileURL } from 'node:url';

const packages = pathToFileURL(`${process.env.IPNSCAST_PEER}/package.json`).href;
const hooks = `export function resolve(name, context, next) {
  const bare = !/^([./]|[a-z]+:)/.test(name) && !context.parentURL?.includes('/node_modules/');
  return next(name, bare ? { ...context, parentURL: ${JSON.stringify(packages)} } : context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
