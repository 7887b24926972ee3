DROP TABLE segments;
DROP TABLE sessions;
DROP TABLE conversations;
