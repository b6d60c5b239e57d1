import * as z from 'zod';

// A page's policy forbids eval. zod would try it once, and the attempt alone is reported as a violation. Import this
// before any schema.
z.config({ jitless: true });
