// Lets the browser load modules before anything asks for them. Not a module: those run once, and every page names its own.
{
  const { src, dataset } = document.currentScript;
  for (const name of dataset.modules.split(' ')) {
    const href = new URL(name + new URL(src).search, src).href;
    document.head.append(Object.assign(document.createElement('link'), { rel: 'modulepreload', href }));
  }
}
