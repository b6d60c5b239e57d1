import { softwareVulkan } from '../../scripts/host/browser.ts';

/* Prints the environment that makes a Vulkan device in software be found. */
console.log(JSON.stringify(await softwareVulkan()));
