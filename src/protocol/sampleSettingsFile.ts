/** The file in a sample data set with the settings that suit it. */
export const sampleSettingsFile = 'sample.fivecrop.json';
